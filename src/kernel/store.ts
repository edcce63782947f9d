import type { JournalEntry, JournalNote } from './journal.js';

/** One record as it stands in the store. `data` is JSON; times are milliseconds since the epoch. */
export interface StoredRecord {
  readonly kind: string;
  readonly id: string;
  /** 1 when first written, then one more with each write. */
  readonly version: number;
  readonly state: string;
  /** Whose it is (a device id, say), or '' for nobody's. */
  readonly owner: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly data: unknown;
}

/** A stored record without its data, of which `bytes` tells the size: a look at it costs the same however large the data is. */
export type StoredHead = Omit<StoredRecord, 'data'> & { readonly bytes: number };

/** Writes a record. `expect` is the version it must have now; 0 means that it must not exist. */
export interface PutOperation {
  readonly op: 'put';
  readonly kind: string;
  readonly id: string;
  readonly expect: number;
  readonly state: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly data: unknown;
  /** Adds an entry to the record's journal, at `updatedAt` and to `state`. */
  readonly journal?: JournalNote;
}

/** Deletes a record, which must be at version `expect`, and its journal. */
export interface DeleteOperation {
  readonly op: 'delete';
  readonly kind: string;
  readonly id: string;
  readonly expect: number;
}

/** One step of a commit. */
export type StoreOperation = PutOperation | DeleteOperation;

/**
 * What has happened when `commit` resolves. `fsync`: it survives a power cut. `wal`: it is in the write-ahead log and
 * survives a crash of this process; the next `fsync` commit makes it durable.
 */
export type Durability = 'fsync' | 'wal';

/** Which records of one kind to list, and in which order. */
export interface ListQuery {
  readonly kind: string;
  readonly states?: readonly string[];
  readonly owner?: string;
  /** Only records created at or after this time, milliseconds since the epoch. */
  readonly since?: number;
  /** Only records created before this time, milliseconds since the epoch. */
  readonly until?: number;
  /** By creation time, then id. Default: `ascending`. */
  readonly order?: 'ascending' | 'descending';
  /** 1 to 1000. Default: 100. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

/** A part of a list, with the way to go on. */
export interface ListPage<R = StoredRecord> {
  readonly records: readonly R[];
  /** Where the next page starts; absent on the last one. */
  readonly next?: string;
}

/**
 * The store port. It keeps records and gives three guarantees: compare-and-set on a record's version; all operations of
 * one `commit` become visible together or not at all; lists by kind, state, owner and time with a cursor. A put may carry
 * the reason for its change, which becomes an entry of the record's journal with it, and is deleted with the record.
 * Ids and times are arguments, so a store never invents one.
 */
export interface Store {
  get(kind: string, id: string): Promise<StoredRecord | undefined>;
  list(query: ListQuery): Promise<ListPage>;
  /** As `list`, with the heads of the records alone. The cursors of both are the same. */
  heads(query: ListQuery): Promise<ListPage<StoredHead>>;
  /** The journal of a record, oldest first: the latest 1,000 entries. */
  history(kind: string, id: string): Promise<readonly JournalEntry[]>;
  /**
   * Applies all operations, or none. Commits made in one turn of the event loop share one transaction, and a conflict in
   * one of them fails that one alone.
   *
   * @throws AppError `store.conflict` when a record is not at its `expect` version,
   *   `store.failed` when the disk refuses (the daemon must stop: what was written is unknown), `store.closed` after `close`.
   */
  commit(operations: readonly StoreOperation[], durability?: Durability): Promise<void>;
  /** Finishes what was committed and releases the files. Idempotent. */
  close(): Promise<void>;
}
