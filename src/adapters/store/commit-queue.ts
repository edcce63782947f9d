import type { AppError } from '../../kernel/errors.js';
import { toAppError } from '../../kernel/errors.js';
import type { Durability, StoreOperation } from '../../kernel/store.js';
import { type PreparedOperation, prepareOperations } from './prepared-commit.js';
import { storeError } from './store-errors.js';

/**
 * Writes a group of commits as one transaction that is as durable as `durability` says. Returns one entry per commit, in
 * order: the conflict that failed that commit alone, or undefined. A throw means that the whole group's fate is unknown.
 */
export type WriteGroup = (
  commits: readonly (readonly PreparedOperation[])[],
  durability: Durability,
) => readonly (AppError | undefined)[];

interface Waiting {
  readonly operations: readonly PreparedOperation[];
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
}

/**
 * Gathers what is committed in one turn of the event loop and writes it as one group, in the order of the calls. It owns
 * the life of a store: open, then closed, or failed for good, since after a failed fsync nobody knows what is on the disk
 * (protocol.md 18).
 */
export class CommitQueue {
  readonly #write: WriteGroup;
  readonly #onFailure: ((error: AppError) => void) | undefined;
  #waiting: Waiting[] = [];
  #durability: Durability = 'wal';
  #scheduled: NodeJS.Immediate | undefined;
  #ended: AppError | undefined;

  /** `onFailure` is called once, when a group can't be written. It should stop the process. */
  constructor(write: WriteGroup, onFailure?: (error: AppError) => void) {
    this.#write = write;
    this.#onFailure = onFailure;
  }

  /** Throws `store.failed` or `store.closed` when the store no longer serves. */
  assertOpen(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  /** Adds one commit to the group of this turn; resolves when the group is written. */
  add(operations: readonly StoreOperation[], durability: Durability): Promise<void> {
    return new Promise((resolve, reject) => {
      this.assertOpen();
      this.#waiting.push({ operations: prepareOperations(operations), resolve, reject });
      if (durability === 'fsync') this.#durability = 'fsync';
      this.#scheduled ??= setImmediate(() => this.#flush());
    });
  }

  /** Writes what waits and refuses everything after. Idempotent. */
  close(): void {
    if (this.#ended !== undefined) return;
    this.#flush();
    this.#ended ??= storeError('closed', 'The store is closed', {
      hint: 'The program is stopping; ask again when it runs',
    });
  }

  #flush(): void {
    const group = this.#waiting;
    const durability = this.#durability;
    clearImmediate(this.#scheduled);
    this.#waiting = [];
    this.#durability = 'wal';
    this.#scheduled = undefined;
    if (group.length === 0) return;
    try {
      const outcomes = this.#write(
        group.map((commit) => commit.operations),
        durability,
      );
      group.forEach((commit, index) => {
        const conflict = outcomes[index];
        if (conflict === undefined) commit.resolve();
        else commit.reject(conflict);
      });
    } catch (thrown) {
      this.#fail(group, thrown);
    }
  }

  #fail(group: readonly Waiting[], cause: unknown): void {
    const error = storeError('failed', `The store could not write: ${toAppError(cause).message}`, {
      hint: 'Check the disk (space, mount, health), then start the program again; it continues from what is on disk',
      cause,
    });
    this.#ended = error;
    for (const commit of group) commit.reject(error);
    this.#onFailure?.(error);
  }
}
