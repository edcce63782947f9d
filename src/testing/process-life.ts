import type { Clock, TimerHandle } from '../kernel/clock.js';
import type { JournalEntry } from '../kernel/journal.js';
import type {
  Durability,
  ListPage,
  ListQuery,
  Store,
  StoredHead,
  StoredRecord,
  StoreOperation,
} from '../kernel/store.js';

/** What dies with a process: nothing that it had set going does anything after `dead`. */
export interface Life {
  dead: boolean;
}

/** The one clock of a world as one process sees it: its timers die with it. */
export function clockOf(life: Life, clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback, ms): TimerHandle =>
      clock.setTimeout(() => {
        if (!life.dead) callback();
      }, ms),
    clearTimeout: (handle) => clock.clearTimeout(handle),
  };
}

/**
 * A disk as one process sees it. A commit takes a turn before it begins, so a crash in between loses it; what had begun
 * is on the disk, but the process never hears of it.
 */
export class ProcessStore implements Store {
  readonly #life: Life;
  readonly #disk: Store;
  readonly #written: (operations: readonly StoreOperation[]) => void;

  constructor(life: Life, disk: Store, written: (operations: readonly StoreOperation[]) => void = () => {}) {
    this.#life = life;
    this.#disk = disk;
    this.#written = written;
  }

  get(kind: string, id: string): Promise<StoredRecord | undefined> {
    return this.#disk.get(kind, id);
  }

  list(query: ListQuery): Promise<ListPage> {
    return this.#disk.list(query);
  }

  heads(query: ListQuery): Promise<ListPage<StoredHead>> {
    return this.#disk.heads(query);
  }

  history(kind: string, id: string): Promise<readonly JournalEntry[]> {
    return this.#disk.history(kind, id);
  }

  commit(operations: readonly StoreOperation[], durability?: Durability): Promise<void> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        if (this.#life.dead) return;
        this.#disk.commit(operations, durability).then(
          () => {
            this.#written(operations);
            if (!this.#life.dead) resolve();
          },
          (error: unknown) => {
            if (!this.#life.dead) reject(error);
          },
        );
      });
    });
  }

  async close(): Promise<void> {}
}

/** Lets everything that is ready run, `count` turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
