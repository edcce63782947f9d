import { randomBytes } from 'node:crypto';
import { callerLabel, type VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Store } from '../../kernel/store.js';
import { pairingError } from '../errors.js';
import { joinKeyFromSecret } from '../identity/join-string.js';
import { newId } from '../ids.js';
import { type Change, RecordTable, transact } from '../records.js';
import type { PairingCodeRecord } from './record.js';

const maxWrongProofs = 5;
const minTtlMs = 30_000;
const maxTtlMs = 24 * 3_600_000;

export interface CodeOptions {
  /** Milliseconds, 30 s to 24 h. */
  readonly ttlMs: number;
  readonly purpose: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The one answer to a code that is unknown, expired, cancelled, used by another machine or wrong (protocol.md 3). */
export function codeRefused() {
  return pairingError('code_refused', 'The code was not accepted', {
    hint: 'It may be mistyped, expired, cancelled or used by another machine. Ask the operator for a new one: `palyra pair`.',
  });
}

/** The codes that operators minted. Nothing here could be used as a code: of a join string only the public key is kept. */
export class PairingCodes {
  readonly #table = new RecordTable<PairingCodeRecord>('pairing-code');
  readonly #store: Store;
  readonly #clock: Clock;
  /** When each code of this process ends by monotonic time: a wall clock set back does not lengthen its life. */
  readonly #monotonicEnd = new Map<string, number>();

  private constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  static async open(store: Store, clock: Clock): Promise<PairingCodes> {
    const codes = new PairingCodes(store, clock);
    await codes.#table.load(store);
    return codes;
  }

  /**
   * Makes a one-use join key.
   *
   * @returns the code's public record and the secret (32 bytes), which is kept nowhere.
   * @throws AppError `pairing.invalid_request` when the lifetime is outside 30 s to 24 h.
   */
  async mintJoin(
    caller: VerifiedCaller,
    options: CodeOptions,
  ): Promise<{ code: PairingCodeRecord; secret: Buffer }> {
    if (!(options.ttlMs >= minTtlMs && options.ttlMs <= maxTtlMs)) {
      throw pairingError('invalid_request', 'A join string lives from 30 seconds to 24 hours', {
        fields: [{ field: 'ttlMs', message: `must be ${minTtlMs} to ${maxTtlMs}` }],
      });
    }
    const now = this.#clock.now();
    const secret = randomBytes(32);
    const id = newId('pc', now);
    const code = await transact(this.#store, () => {
      const next: PairingCodeRecord = {
        id,
        version: 1,
        state: 'live',
        method: 'join',
        joinKey: joinKeyFromSecret(secret).publicKey.toString('base64url'),
        purpose: options.purpose,
        labels: options.labels,
        wrongProofs: 0,
        mintedBy: callerLabel(caller),
        createdAt: now,
        updatedAt: now,
        expiresAt: now + options.ttlMs,
      };
      return { changes: [this.#table.put(next)], result: next };
    });
    this.#monotonicEnd.set(id, this.#clock.monotonic() + options.ttlMs);
    return { code, secret };
  }

  /** A code in whatever state it is. */
  get(codeId: string): PairingCodeRecord | undefined {
    return this.#table.get(codeId);
  }

  /**
   * Charges one proof to a code, on disk, before anything is compared; each call is one guess, however many run at once.
   *
   * @returns the code, or undefined when it is unknown, over or used up: the caller goes on as with a wrong proof.
   */
  async charge(codeId: string): Promise<PairingCodeRecord | undefined> {
    return transact(this.#store, () => {
      const code = this.#table.get(codeId);
      if (!code || !this.#isOpen(code)) return { changes: [], result: undefined };
      const wrongProofs = code.wrongProofs + 1;
      if (wrongProofs > maxWrongProofs) {
        return { changes: [this.#put(code, { state: 'exhausted' })], result: undefined };
      }
      return { changes: [this.#put(code, { wrongProofs })], result: { ...code, wrongProofs } };
    });
  }

  /** The proof was right: gives the charge back and binds the code to the first device that proved it. */
  async accept(codeId: string, deviceId: string): Promise<void> {
    await transact(this.#store, () => {
      const code = this.#table.get(codeId);
      // It may have ended while the proof was checked, and what has ended stays so.
      const isLive = code?.state === 'live' || code?.state === 'bound';
      if (!code || !isLive || (code.boundTo !== undefined && code.boundTo !== deviceId)) throw codeRefused();
      const change = this.#put(code, {
        wrongProofs: code.wrongProofs - 1,
        state: 'bound',
        boundTo: deviceId,
      });
      return { changes: [change], result: undefined };
    });
  }

  /** The change that ends a code with the approval of the machine that proved it. */
  use(codeId: string): Change[] {
    const code = this.#table.get(codeId);
    return code ? [this.#put(code, { state: 'used' })] : [];
  }

  #isOpen(code: PairingCodeRecord): boolean {
    if (code.state !== 'live' && code.state !== 'bound') return false;
    const end = this.#monotonicEnd.get(code.id);
    return this.#clock.now() < code.expiresAt && (end === undefined || this.#clock.monotonic() < end);
  }

  #put(code: PairingCodeRecord, patch: Partial<PairingCodeRecord>): Change {
    return this.#table.put({ ...code, ...patch, updatedAt: this.#clock.now() });
  }
}
