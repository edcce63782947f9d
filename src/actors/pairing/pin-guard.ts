import type { Clock } from '../../kernel/clock.js';
import type { Cause } from '../../kernel/journal.js';
import type { Store } from '../../kernel/store.js';
import { type Change, RecordTable } from '../records.js';
import type { ChargedProof, PinGuardRecord } from './record.js';

const id = 'pin';
const dayMs = 24 * 3_600_000;

/** Wrong proofs of PINs within 24 hours that lock PIN pairing. */
export const maxWrongProofsADay = 20;

/**
 * The budget over all PIN codes (protocol.md 3). What it counts and whether it is locked is on disk, so that neither a
 * restart nor a new code gives anybody more guesses. Its changes go into the transaction of the code that is charged.
 */
export class PinGuard {
  readonly #table = new RecordTable<PinGuardRecord>('pin-guard');
  readonly #clock: Clock;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  static async open(store: Store, clock: Clock): Promise<PinGuard> {
    const guard = new PinGuard(clock);
    await guard.#table.load(store);
    return guard;
  }

  /** As it stands: what is older than a day counts no more, unless it is what locked. */
  get record(): PinGuardRecord {
    const now = this.#clock.now();
    const record = this.#table.get(id);
    if (!record) {
      return { id, version: 0, state: 'open', charges: [], proofs: 0, createdAt: now, updatedAt: now };
    }
    if (record.state === 'locked') return record;
    return { ...record, charges: record.charges.filter(({ at }) => now - at < dayMs) };
  }

  get isLocked(): boolean {
    return this.record.state === 'locked';
  }

  /** Counts a proof that is not one of a PIN that lives. Written all the same, so that it takes as long. */
  note(): Change {
    const { record } = this;
    return this.#put({ ...record, proofs: record.proofs + 1 });
  }

  /** Counts a proof of a PIN, before it is compared; the twentieth locks with it. Only while it is not locked. */
  charge(proof: ChargedProof, codeId: string): Change {
    const { record } = this;
    const charges = [...record.charges, { ...proof, codeId }];
    const next = { ...record, proofs: record.proofs + 1, charges };
    if (charges.length < maxWrongProofsADay) return this.#put(next);
    return this.#put(
      { ...next, state: 'locked', lockedAt: this.#clock.now() },
      { event: 'lock', by: 'the daemon', note: `${charges.length} wrong proofs within 24 hours` },
    );
  }

  /** The proof was right: gives its charge back, and the lock that it had led to. */
  refund(attemptId: string): Change {
    const { lockedAt, ...record } = this.record;
    const charges = record.charges.filter((charge) => charge.attemptId !== attemptId);
    if (charges.length === maxWrongProofsADay) return this.#put(this.record);
    return this.#put({ ...record, state: 'open', charges });
  }

  /** An operator lifts the lock and starts the count anew. */
  unlock(cause: Cause): Change {
    const { lockedAt: _lockedAt, ...record } = this.record;
    return this.#put({ ...record, state: 'open', charges: [] }, cause);
  }

  #put(next: PinGuardRecord, cause?: Cause): Change {
    return this.#table.put({ ...next, updatedAt: this.#clock.now() }, cause);
  }
}
