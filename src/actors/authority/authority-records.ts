import type { Cause } from '../../kernel/journal.js';
import type { Store } from '../../kernel/store.js';
import { RecordTable, transact } from '../records.js';
import { type AuthorityRecord, authorityId, borneOut, firstRecord } from './record.js';

export interface OpenAuthorityRecords {
  readonly store: Store;
  /** The CAs that are on the disk, oldest first. */
  readonly onDisk: readonly string[];
  /** How long both are trusted when a rotation goes on that the record does not know, milliseconds. */
  readonly overlapMs: number;
  readonly now: number;
}

/** The record of how the daemon's CAs stand. */
export class AuthorityRecords {
  readonly #store: Store;
  readonly #table = new RecordTable<AuthorityRecord>('authority');

  private constructor(store: Store) {
    this.#store = store;
  }

  /** Reads it, and holds it to what is on the disk. Resolves when that is recorded. */
  static async open({ store, onDisk, overlapMs, now }: OpenAuthorityRecords): Promise<AuthorityRecords> {
    const records = new AuthorityRecords(store);
    await records.#table.load(store);
    const stored = records.#table.get(authorityId);
    const next = stored ? borneOut(stored, onDisk, now, overlapMs) : firstRecord(onDisk, now);
    if (next !== stored) {
      const cause = { event: 'open', by: 'system:daemon' };
      const note = next.rotation?.reason;
      await records.commit(next, note === undefined ? cause : { ...cause, note });
    }
    return records;
  }

  get current(): AuthorityRecord {
    const record = this.#table.get(authorityId);
    if (record) return record;
    throw new Error('The record of the CAs has not been opened');
  }

  /** Resolves with the record as it is stored. */
  async commit(next: AuthorityRecord, cause: Cause): Promise<AuthorityRecord> {
    await transact(this.#store, () => ({ changes: [this.#table.put(next, cause)], result: undefined }));
    return this.current;
  }
}
