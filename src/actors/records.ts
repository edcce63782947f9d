import { AppError } from '../kernel/errors.js';
import type { Cause, JournalNote } from '../kernel/journal.js';
import type { Durability, PutOperation, Store, StoredRecord, StoreOperation } from '../kernel/store.js';

/** What every record carries besides its own fields. */
export interface RecordHead {
  readonly id: string;
  readonly version: number;
  readonly state: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A record's next value, or its end, within a transaction; see {@link RecordTable}. */
export interface Change {
  readonly operation: StoreOperation;
  adopt(): void;
}

/** The store's form of a record: its head in columns, the rest as data; with a note, it enters the journal too. */
export function toOperation<R extends RecordHead>(
  kind: string,
  owner: string,
  record: R,
  journal?: JournalNote,
): PutOperation {
  const { id, version, state, createdAt, updatedAt, ...data } = record;
  const operation = {
    op: 'put',
    kind,
    id,
    expect: version - 1,
    state,
    owner,
    createdAt,
    updatedAt,
    data,
  } as const;
  return journal ? { ...operation, journal } : operation;
}

/** The record that {@link toOperation} stored. */
export function fromStored<R extends RecordHead>(stored: StoredRecord): R {
  const { id, version, state, createdAt, updatedAt } = stored;
  return { ...(stored.data as object), id, version, state, createdAt, updatedAt } as R;
}

/** All pages of a list, one record at a time. */
export async function* eachStored(
  store: Store,
  kind: string,
  states?: readonly string[],
): AsyncGenerator<StoredRecord> {
  let cursor: string | undefined;
  do {
    const page = await store.list({
      kind,
      limit: 1000,
      ...(states ? { states } : {}),
      ...(cursor ? { cursor } : {}),
    });
    yield* page.records;
    cursor = page.next;
  } while (cursor);
}

/**
 * The records of one kind, all in memory and written through. Reads are synchronous, so that a check on each call costs a
 * map look-up; a change becomes visible when its commit has succeeded. For kinds with thousands of records, not millions.
 */
export class RecordTable<R extends RecordHead> {
  readonly #kind: string;
  readonly #ownerOf: (record: R) => string;
  readonly #records = new Map<string, R>();

  constructor(kind: string, ownerOf: (record: R) => string = () => '') {
    this.#kind = kind;
    this.#ownerOf = ownerOf;
  }

  async load(store: Store): Promise<void> {
    for await (const stored of eachStored(store, this.#kind))
      this.#records.set(stored.id, fromStored<R>(stored));
  }

  get(id: string): R | undefined {
    return this.#records.get(id);
  }

  values(): IterableIterator<R> {
    return this.#records.values();
  }

  /**
   * The change that makes `next` the record's value. Its version is set here: one more than what is in memory.
   *
   * @param cause what led to it, for the record's journal. Leave it out for what explains nothing, such as a time.
   */
  put(next: Omit<R, 'version'>, cause?: Cause): Change {
    const before = this.#records.get(next.id);
    const record = { ...next, version: (before?.version ?? 0) + 1 } as R;
    const journal = cause && { ...cause, from: before?.state ?? '' };
    return {
      operation: toOperation(this.#kind, this.#ownerOf(record), record, journal),
      adopt: () => this.#records.set(record.id, record),
    };
  }

  /** The change that deletes a record, with its journal; none when there is no such record. */
  remove(id: string): readonly Change[] {
    const record = this.#records.get(id);
    if (!record) return [];
    const operation = { op: 'delete', kind: this.#kind, id, expect: record.version } as const;
    return [{ operation, adopt: () => this.#records.delete(id) }];
  }
}

/** Conflicts over the same version in a row: nobody else has got in between, so memory and store do not agree. */
const mostInVain = 8;

/**
 * Commits changes of several records together. `build` reads the tables and returns the changes; when another change got
 * in between, it is run again on what is there by then, so its checks always hold for what is committed. Whoever asked first
 * gets in first, so a change comes to its turn however many others want the same record.
 *
 * @throws AppError what `build` throws, and what {@link Store.commit} throws.
 */
export async function transact<T>(
  store: Store,
  build: () => { readonly changes: readonly Change[]; readonly result: T },
  durability: Durability = 'fsync',
): Promise<T> {
  let tried = '';
  let inVain = 0;
  for (;;) {
    const { changes, result } = build();
    if (changes.length === 0) return result;
    const operations = changes.map((change) => change.operation);
    try {
      await store.commit(operations, durability);
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'store.conflict') throw thrown;
      const versions = operations.map(({ kind, id, expect }) => `${kind}/${id}@${expect}`).join();
      inVain = versions === tried ? inVain + 1 : 0;
      tried = versions;
      if (inVain >= mostInVain) throw thrown;
      continue;
    }
    for (const change of changes) change.adopt();
    return result;
  }
}
