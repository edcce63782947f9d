import type { AppError } from '../../kernel/errors.js';
import type { JournalEntry } from '../../kernel/journal.js';
import type {
  Durability,
  ListPage,
  ListQuery,
  Store,
  StoredHead,
  StoredRecord,
  StoreOperation,
} from '../../kernel/store.js';
import { storeError } from './store-errors.js';

export interface FailingStoreOptions {
  /** How many commits succeed before every one fails. Default: 0. */
  readonly after?: number;
  readonly onFailure?: (error: AppError) => void;
}

/**
 * Wraps a store and breaks it for good after some commits, as a full or dying disk would. For tests of what the rest of
 * the program does then.
 *
 * @example
 * const store = new FailingStore(new MemoryStore(), { after: 3, onFailure: (error) => stop(error) });
 */
export class FailingStore implements Store {
  readonly #inner: Store;
  readonly #onFailure: ((error: AppError) => void) | undefined;
  #left: number;
  #failure: AppError | undefined;

  constructor(inner: Store, options: FailingStoreOptions = {}) {
    this.#inner = inner;
    this.#left = options.after ?? 0;
    this.#onFailure = options.onFailure;
  }

  async get(kind: string, id: string): Promise<StoredRecord | undefined> {
    this.#assertSound();
    return this.#inner.get(kind, id);
  }

  async list(query: ListQuery): Promise<ListPage> {
    this.#assertSound();
    return this.#inner.list(query);
  }

  async heads(query: ListQuery): Promise<ListPage<StoredHead>> {
    this.#assertSound();
    return this.#inner.heads(query);
  }

  async history(kind: string, id: string): Promise<readonly JournalEntry[]> {
    this.#assertSound();
    return this.#inner.history(kind, id);
  }

  async commit(operations: readonly StoreOperation[], durability?: Durability): Promise<void> {
    this.#assertSound();
    if (this.#left > 0) {
      this.#left -= 1;
      return this.#inner.commit(operations, durability);
    }
    this.#failure = storeError('failed', 'The store could not write: the disk was made to fail', {
      hint: 'This store fails on purpose; only tests use it',
    });
    this.#onFailure?.(this.#failure);
    throw this.#failure;
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  #assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
