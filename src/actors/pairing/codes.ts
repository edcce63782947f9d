import { randomBytes } from 'node:crypto';
import { callerLabel, holdsRole, type Role, type VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { type Cause, causeOf } from '../../kernel/journal.js';
import type { KernelLog } from '../../kernel/log.js';
import { Secret } from '../../kernel/secret.js';
import type { Store } from '../../kernel/store.js';
import { pairingError } from '../errors.js';
import { joinKeyFromSecret } from '../identity/join-string.js';
import { newPinCode, type PinCode, pinPassword } from '../identity/pin-code.js';
import type { Spake2 } from '../identity/spake2.js';
import { newId } from '../ids.js';
import { type Change, RecordTable, transact } from '../records.js';
import { CodeCharges } from './code-charges.js';
import { LivePins } from './live-pins.js';
import { PinGuard } from './pin-guard.js';
import type {
  ChargedProof,
  PairingCodeRecord,
  PairingCodeState,
  PairingMethod,
  PinGuardRecord,
} from './record.js';

const maxLivePins = 3;
const shortestMs = 30_000;
const longestMs: Readonly<Record<PairingMethod, number>> = { join: 24 * 3_600_000, pin: 15 * 60_000 };

export interface CodeOptions {
  /** Milliseconds: 30 s to 24 h for a join string, to 15 min for a PIN. */
  readonly ttlMs: number;
  readonly purpose: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PairingCodesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly log: KernelLog;
}

/**
 * The codes that operators minted. Nothing on disk could be used as a code: of a join string only the public key is kept, of
 * a PIN nothing, which is why PINs end with the process.
 */
export class PairingCodes {
  readonly #table = new RecordTable<PairingCodeRecord>('pairing-code');
  readonly #options: PairingCodesOptions;
  readonly #guard: PinGuard;
  readonly #pins = new LivePins();
  /** When each code of this process ends by monotonic time: a wall clock set back does not lengthen its life. */
  readonly #monotonicEnd = new Map<string, number>();
  /** Who owns the deadline of each code that has one. */
  readonly #timers = new Map<string, object>();
  /** Slots of PINs that are being minted. */
  readonly #minting = new Set<string>();
  readonly #charges: CodeCharges;

  private constructor(options: PairingCodesOptions, guard: PinGuard) {
    this.#options = options;
    this.#guard = guard;
    this.#charges = new CodeCharges({
      ...options,
      table: this.#table,
      guard,
      isOpen: (code) => this.#isOpen(code),
    });
  }

  /** Reads what is kept, and ends what did not outlive the process before: its PINs. */
  static async open(options: PairingCodesOptions): Promise<PairingCodes> {
    const { store, clock } = options;
    const codes = new PairingCodes(options, await PinGuard.open(store, clock));
    await codes.#table.load(store);
    await codes.#charges.load();
    for (const code of codes.all()) {
      if (!isWaiting(code)) continue;
      if (code.method === 'pin')
        await codes.#expire(code.id, 'palyrad was restarted, and nothing of a PIN is stored');
      else codes.#watch(code);
    }
    return codes;
  }

  /**
   * Makes a one-use join key.
   *
   * @returns the code's public record and the secret (32 bytes), which is kept nowhere.
   * @throws AppError `pairing.invalid_request` when the lifetime is outside 30 s to 24 h, `pairing.forbidden`.
   */
  async mintJoin(
    caller: VerifiedCaller,
    options: CodeOptions,
  ): Promise<{ code: PairingCodeRecord; secret: Secret<Buffer> }> {
    requireRole(caller, 'admin', 'mint codes');
    requireLifetime('join', options.ttlMs);
    const secret = randomBytes(32);
    const joinKey = joinKeyFromSecret(secret).publicKey.toString('base64url');
    const code = await this.#write(caller, options, { method: 'join', joinKey });
    return { code, secret: new Secret(secret) };
  }

  /**
   * Makes a PIN. What it is compared with is computed now and kept in memory.
   *
   * @returns the code's public record and the PIN code, which is kept nowhere.
   * @throws AppError `pairing.invalid_request` when the lifetime is outside 30 s to 15 min, `pairing.too_many_pins` when
   *   three live already, `pairing.pins_locked` after too many wrong proofs, `pairing.forbidden`.
   */
  async mintPin(
    caller: VerifiedCaller,
    options: CodeOptions,
  ): Promise<{ code: PairingCodeRecord; pinCode: PinCode }> {
    requireRole(caller, 'admin', 'mint codes');
    requireLifetime('pin', options.ttlMs);
    this.#requireUnlocked();
    const live = this.all().filter((code) => code.method === 'pin' && this.#isOpen(code));
    if (live.length + this.#minting.size >= maxLivePins) {
      throw pairingError('too_many_pins', `${maxLivePins} PINs live already`, {
        hint: 'Wait until one is used or over, or cancel one: `palyra pair list`, `palyra pair cancel ID`. A join string has no such limit.',
      });
    }
    const pinCode = newPinCode(new Set([...this.#pins.slots, ...this.#minting]));
    const { slot } = pinCode;
    this.#minting.add(slot);
    try {
      const password = await pinPassword(pinCode);
      this.#requireUnlocked();
      const code = await this.#write(caller, options, { method: 'pin', slot });
      this.#pins.add(slot, { codeId: code.id, password });
      return { code, pinCode };
    } finally {
      this.#minting.delete(slot);
    }
  }

  /** A code in whatever state it is. */
  get(codeId: string): PairingCodeRecord | undefined {
    return this.#table.get(codeId);
  }

  /** Its state as it is by the clock, also before the end of its time is written. @throws AppError `pairing.not_found`. */
  stateOf(codeId: string): PairingCodeState {
    const code = this.require(codeId);
    return isWaiting(code) && !this.#isOpen(code) ? 'expired' : code.state;
  }

  /** Deletes codes that ended before a time, with their journal. Returns how many. */
  prune(endedBefore: number): Promise<number> {
    return transact(this.#options.store, () => {
      const old = this.all().filter(
        (code) => !this.#isOpen(code) && Math.max(code.updatedAt, code.expiresAt) < endedBefore,
      );
      return { changes: old.flatMap(({ id }) => this.#table.remove(id)), result: old.length };
    });
  }

  all(): readonly PairingCodeRecord[] {
    return [...this.#table.values()];
  }

  /** Charges one proof before it is compared; see {@link CodeCharges.charge}. */
  charge(codeId: string, proof: Omit<ChargedProof, 'at'>): Promise<PairingCodeRecord | undefined> {
    return this.#charges.charge(codeId, proof);
  }

  /** The proof was right; see {@link CodeCharges.accept}. */
  accept(codeId: string, attemptId: string, deviceId: string): Promise<void> {
    return this.#charges.accept(codeId, attemptId, deviceId);
  }

  /** Side B of an exchange for a slot; of a slot without a code too, which can't be told from outside. */
  beginPin(slot: string): { readonly codeId: string; readonly side: Spake2 } {
    return this.#pins.begin(slot);
  }

  /** How many wrong proofs of PINs there were, from where, and whether that has locked them. */
  get pinGuard(): PinGuardRecord {
    return this.#guard.record;
  }

  /** Lets PINs pair again and starts their count anew. @throws AppError `pairing.forbidden`. */
  async unlockPins(caller: VerifiedCaller, reason: string): Promise<PinGuardRecord> {
    requireRole(caller, 'admin', 'unlock PIN pairing');
    const cause = causeOf({ type: 'unlock', caller }, '', reason);
    await transact(this.#options.store, () => ({ changes: [this.#guard.unlock(cause)], result: undefined }));
    return this.#guard.record;
  }

  /**
   * Ends a code. A request that it has led to stays.
   *
   * @throws AppError `pairing.not_found`, `pairing.code_ended`, `pairing.forbidden`.
   */
  async cancel(caller: VerifiedCaller, codeId: string, reason: string): Promise<PairingCodeRecord> {
    requireRole(caller, 'approver', 'cancel codes');
    const code = await transact(this.#options.store, () => {
      const before = this.require(codeId);
      if (!isWaiting(before)) {
        throw pairingError('code_ended', `Code ${codeId} is ${before.state} already`, {
          hint: 'A code that has ended lets nobody in. What it let in is among the pairings: `palyra pairings list --all`.',
        });
      }
      const next = { ...before, state: 'cancelled' as const, endReason: reason };
      return { changes: [this.#put(next, causeOf({ type: 'cancel', caller }, '', reason))], result: next };
    });
    this.#forget(codeId);
    return code;
  }

  /** @throws AppError `pairing.not_found`. */
  require(codeId: string): PairingCodeRecord {
    const code = this.#table.get(codeId);
    if (code) return code;
    throw pairingError('not_found', `There is no code ${codeId}`, {
      hint: 'List them with `palyra pair list --all`.',
    });
  }

  /** The change that ends a code with the approval of the machine that proved it. */
  use(codeId: string): Change[] {
    const code = this.#table.get(codeId);
    if (!code || code.state === 'cancelled') return [];
    const { endReason: _endReason, ...rest } = code;
    const change = this.#put({ ...rest, state: 'used' });
    const adopt = (): void => {
      change.adopt();
      this.#forget(codeId);
    };
    return [{ ...change, adopt }];
  }

  async #write(
    caller: VerifiedCaller,
    { ttlMs, purpose, labels }: CodeOptions,
    method: Pick<PairingCodeRecord, 'method' | 'joinKey' | 'slot'>,
  ): Promise<PairingCodeRecord> {
    const { store, clock } = this.#options;
    const now = clock.now();
    const next: PairingCodeRecord = {
      ...method,
      id: newId('pc', now),
      version: 1,
      state: 'live',
      purpose,
      labels,
      charges: [],
      mintedBy: callerLabel(caller),
      createdAt: now,
      updatedAt: now,
      expiresAt: now + ttlMs,
    };
    const cause = causeOf({ type: 'mint', caller }, '', purpose);
    await transact(store, () => ({ changes: [this.#put(next, cause)], result: undefined }));
    this.#watch(next);
    return next;
  }

  #isOpen(code: PairingCodeRecord): boolean {
    if (!isWaiting(code)) return false;
    const { clock } = this.#options;
    const end = this.#monotonicEnd.get(code.id);
    return clock.now() < code.expiresAt && (end === undefined || clock.monotonic() < end);
  }

  /** Ends a code when its time is over: by the wall clock, or by monotonic time when the wall clock was set back meanwhile. */
  #watch({ id, createdAt, expiresAt }: PairingCodeRecord): void {
    const { clock, deadlines, log } = this.#options;
    // Also one from before a restart lives no longer than it was minted for, whatever the wall clock says now.
    const leftMs = Math.min(expiresAt - clock.now(), expiresAt - createdAt);
    this.#monotonicEnd.set(id, clock.monotonic() + leftMs);
    const owner = {};
    this.#timers.set(id, owner);
    const expire = (): void => {
      this.#expire(id, 'its time was over').catch((err: unknown) => {
        log.error({ err, codeId: id }, 'The end of a code could not be written');
      });
    };
    deadlines.set(owner, leftMs, expire, { label: 'lifetime of a code' });
  }

  async #expire(codeId: string, endReason: string): Promise<void> {
    this.#forget(codeId);
    await transact(this.#options.store, () => {
      const code = this.#table.get(codeId);
      if (!code || !isWaiting(code)) return { changes: [], result: undefined };
      const cause = { event: 'expire', by: 'the daemon', note: endReason };
      return { changes: [this.#put({ ...code, state: 'expired', endReason }, cause)], result: undefined };
    });
  }

  /** Drops what is kept in memory of a code that has ended. */
  #forget(codeId: string): void {
    this.#pins.remove(codeId);
    this.#monotonicEnd.delete(codeId);
    const owner = this.#timers.get(codeId);
    if (owner) this.#options.deadlines.release(owner);
    this.#timers.delete(codeId);
  }

  #requireUnlocked(): void {
    if (!this.#guard.isLocked) return;
    throw pairingError('pins_locked', 'PIN pairing is locked after too many wrong PINs', {
      hint: 'See from where they came with `palyra pair list`, then lift it with `palyra pair unlock`. Join strings work meanwhile.',
    });
  }

  #put(next: PairingCodeRecord, cause?: Cause): Change {
    return this.#table.put({ ...next, updatedAt: this.#options.clock.now() }, cause);
  }
}

/** Whether a machine may still prove it. */
export function isWaiting({ state }: PairingCodeRecord): boolean {
  return state === 'live' || state === 'bound';
}

function requireRole(caller: VerifiedCaller, role: Role, what: string): void {
  if (holdsRole(caller, role)) return;
  throw pairingError('forbidden', `${callerLabel(caller)} may not ${what}`, {
    hint: `It takes a token with the role ${role}.`,
  });
}

function requireLifetime(method: PairingMethod, ttlMs: number): void {
  if (ttlMs >= shortestMs && ttlMs <= longestMs[method]) return;
  const message =
    method === 'join'
      ? 'A join string lives from 30 seconds to 24 hours'
      : 'A PIN lives from 30 seconds to 15 minutes';
  throw pairingError('invalid_request', message, {
    fields: [{ field: 'ttlMs', message: `must be ${shortestMs} to ${longestMs[method]}` }],
  });
}
