import type { Clock } from '../../kernel/clock.js';
import type { Cause } from '../../kernel/journal.js';
import type { Store } from '../../kernel/store.js';
import { pairingError } from '../errors.js';
import { type Change, RecordTable, transact } from '../records.js';
import type { PinGuard } from './pin-guard.js';
import type { ChargedProof, PairingCodeRecord } from './record.js';

/** Wrong proofs that end a code. */
export const maxWrongProofs = 5;

/** The one answer to a code that is unknown, expired, cancelled, used by another machine or wrong (protocol.md 3). */
export function codeRefused() {
  return pairingError('code_refused', 'The code was not accepted', {
    hint: 'It may be mistyped, expired, cancelled or used by another machine. Ask the operator for a new one: `palyra pair`.',
  });
}

export interface CodeChargesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly table: RecordTable<PairingCodeRecord>;
  readonly guard: PinGuard;
  /** Whether a machine may prove that code now. */
  isOpen(code: PairingCodeRecord): boolean;
}

/** What proofs cost. A proof is charged before it is compared, and gets its charge back when it was right (protocol.md 3). */
export class CodeCharges {
  readonly #options: CodeChargesOptions;
  /** A code that nobody can prove. Who proves no code that lives is charged here, so that it takes as long. */
  readonly #decoys = new RecordTable<PairingCodeRecord>('pairing-decoy');
  /** Charges go one by one: all of them change the guard's record. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: CodeChargesOptions) {
    this.#options = options;
  }

  load(): Promise<void> {
    return this.#decoys.load(this.#options.store);
  }

  /**
   * Charges one proof, on disk, before anything is compared; each call is one guess, however many run at once. It writes as
   * much for a code that does not live as for one that does.
   *
   * @returns the code, or undefined when it is unknown or over, or PINs are locked: the caller goes on as with a wrong proof.
   */
  charge(codeId: string, proof: Omit<ChargedProof, 'at'>): Promise<PairingCodeRecord | undefined> {
    const charged = this.#last.then(() => this.#charge(codeId, { ...proof, at: this.#options.clock.now() }));
    this.#last = charged.catch(() => undefined);
    return charged;
  }

  #charge(codeId: string, proof: ChargedProof): Promise<PairingCodeRecord | undefined> {
    const { store, table, guard, isOpen } = this.#options;
    return transact(store, () => {
      const code = table.get(codeId);
      const isPin = code?.method === 'pin';
      if (!code || !isOpen(code) || (isPin && guard.isLocked)) {
        return { changes: [this.#chargeDecoy(proof), guard.note()], result: undefined };
      }
      const charges = [...code.charges, proof];
      const ends = charges.length >= maxWrongProofs;
      const endReason = `${charges.length} wrong proofs, the last from ${proof.address}`;
      const next = { ...code, charges, ...(ends ? { state: 'exhausted' as const, endReason } : {}) };
      const cause = { event: 'exhaust', by: 'the daemon', note: endReason };
      const change = ends ? this.#put(next, cause) : this.#put(next);
      return { changes: [change, isPin ? guard.charge(proof, codeId) : guard.note()], result: next };
    });
  }

  /**
   * The proof was right: gives its charge back and binds the code to the first device that proved it.
   *
   * @throws AppError `pairing.code_refused` when the code has ended since, or is another device's.
   */
  async accept(codeId: string, attemptId: string, deviceId: string): Promise<void> {
    const { store, table, guard } = this.#options;
    await transact(store, () => {
      const code = table.get(codeId);
      // It may have ended while the proof was compared, and what has ended stays so, but for this charge itself.
      const isHeld = code && ['live', 'bound', 'exhausted'].includes(code.state);
      if (!isHeld || (code.boundTo !== undefined && code.boundTo !== deviceId)) throw codeRefused();
      const { endReason: _endReason, ...rest } = code;
      const charges = code.charges.filter((charge) => charge.attemptId !== attemptId);
      if (charges.length >= maxWrongProofs) throw codeRefused();
      const change = this.#put({ ...rest, charges, state: 'bound', boundTo: deviceId });
      return {
        changes: code.method === 'pin' ? [change, guard.refund(attemptId)] : [change],
        result: undefined,
      };
    });
  }

  #chargeDecoy(proof: ChargedProof): Change {
    const now = this.#options.clock.now();
    const decoy = this.#decoys.get('decoy') ?? {
      id: 'decoy',
      version: 0,
      state: 'live',
      method: 'join',
      // As long a record as that of a code, so that it takes as long to write.
      joinKey: '0'.repeat(43),
      purpose: '',
      labels: {},
      charges: [],
      mintedBy: 'operator:local',
      createdAt: now,
      updatedAt: now,
      expiresAt: now,
    };
    const charges = [...(decoy.charges.length < maxWrongProofs ? decoy.charges : []), proof];
    return this.#decoys.put({ ...decoy, charges, updatedAt: now });
  }

  #put(next: PairingCodeRecord, cause?: Cause): Change {
    return this.#options.table.put({ ...next, updatedAt: this.#options.clock.now() }, cause);
  }
}
