import type { Database, Statement } from 'better-sqlite3';
import type { AppError } from '../../../kernel/errors.js';
import type { JournalEntry } from '../../../kernel/journal.js';
import type {
  Durability,
  ListPage,
  ListQuery,
  Store,
  StoredHead,
  StoredRecord,
  StoreOperation,
} from '../../../kernel/store.js';
import { CommitQueue } from '../commit-queue.js';
import { listPage, listRequest } from '../list-request.js';
import type { PreparedOperation } from '../prepared-commit.js';
import { schemaVersion } from './migrations.js';
import { openDatabase, type StoreLog } from './open-database.js';
import { RecordTable } from './record-table.js';

export interface OpenStoreOptions {
  readonly log?: StoreLog;
  /** Called once when a commit could not be written. Stop the process: it can't be trusted to write again. */
  readonly onFailure?: (error: AppError) => void;
}

/**
 * Opens the store in a SQLite file, making it if it is absent. One process at a time writes to it (the state directory's
 * lock sees to that); others may read it while it is open.
 *
 * Commits default to `fsync`. An empty commit with `fsync` is a barrier: it makes every earlier `wal` commit durable.
 *
 * @throws AppError `store.corrupt`, `store.wrong_file`, `store.newer_schema` or `store.unreadable`, each with what to do
 *   next. The file is left as it was.
 * @example
 * const store = await openStore('/var/lib/palyra/state.db', { log, onFailure: (error) => stop(error) });
 * const device = await store.get('device', 'd1');
 * await store.close();
 */
export async function openStore(path: string, options: OpenStoreOptions = {}): Promise<Store> {
  const started = performance.now();
  const store = new SqliteStore(openDatabase(path, options.log), options);
  options.log?.info({ path, schemaVersion, ms: Math.round(performance.now() - started) }, 'store open');
  return store;
}

class SqliteStore implements Store {
  readonly #database: Database;
  readonly #records: RecordTable;
  readonly #queue: CommitQueue;
  readonly #begin: Statement<[]>;
  readonly #commit: Statement<[]>;
  #level: Durability = 'wal';
  /** Whether the write-ahead log may hold commits that were not synced. */
  #unsynced = false;

  constructor(database: Database, { onFailure, log }: OpenStoreOptions) {
    this.#database = database;
    this.#records = new RecordTable(database);
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#queue = new CommitQueue(
      (commits, durability) => this.#write(commits, durability),
      (error) => {
        log?.error({ path: database.name, code: error.code }, error.message);
        onFailure?.(error);
      },
    );
  }

  async get(kind: string, id: string): Promise<StoredRecord | undefined> {
    this.#queue.assertOpen();
    return this.#records.get(kind, id);
  }

  async list(query: ListQuery): Promise<ListPage> {
    this.#queue.assertOpen();
    const request = listRequest(query);
    return listPage(request, this.#records.list(request));
  }

  async heads(query: ListQuery): Promise<ListPage<StoredHead>> {
    this.#queue.assertOpen();
    const request = listRequest(query);
    return listPage(request, this.#records.heads(request));
  }

  async history(kind: string, id: string): Promise<readonly JournalEntry[]> {
    this.#queue.assertOpen();
    return this.#records.history(kind, id);
  }

  commit(operations: readonly StoreOperation[], durability: Durability = 'fsync'): Promise<void> {
    return this.#queue.add(operations, durability);
  }

  async close(): Promise<void> {
    this.#queue.close();
    this.#database.close();
  }

  #write(
    commits: readonly (readonly PreparedOperation[])[],
    durability: Durability,
  ): (AppError | undefined)[] {
    this.#setLevel(durability);
    try {
      this.#begin.run();
      const outcomes = commits.map((operations) => this.#records.apply(operations));
      const changed = commits.some(
        (operations, index) => operations.length > 0 && outcomes[index] === undefined,
      );
      // SQLite syncs only a transaction that writes. This one must sync what others wrote, so it rewrites the header.
      if (durability === 'fsync' && !changed && this.#unsynced) {
        this.#database.pragma(`user_version = ${schemaVersion}`);
      }
      this.#commit.run();
      this.#unsynced = durability === 'wal' && (changed || this.#unsynced);
      return outcomes;
    } catch (error) {
      // The queue ends the store whatever happens here; this only lets go of the write lock.
      if (this.#database.inTransaction) this.#rollback();
      throw error;
    }
  }

  #rollback(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // SQLite may have rolled back by itself; the error that brought us here says more than this one.
    }
  }

  /** `FULL` syncs the log at each commit, `NORMAL` only at checkpoints. Switching costs 5 µs. */
  #setLevel(durability: Durability): void {
    if (durability === this.#level) return;
    this.#database.pragma(`synchronous = ${durability === 'fsync' ? 'FULL' : 'NORMAL'}`);
    this.#level = durability;
  }
}
