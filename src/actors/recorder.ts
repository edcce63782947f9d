import type { Deadlines } from '../kernel/deadlines.js';
import { AppError } from '../kernel/errors.js';
import type { Durability, PutOperation, Store } from '../kernel/store.js';
import { type RecordHead, toOperation } from './records.js';

/** How long a change that nobody waits for may stay in memory, milliseconds. */
export const lingerMs = 100;
/** How often acks that wait for the disk get their fsync, milliseconds. */
export const barrierMs = 200;

/** What a recorder writes. */
export interface Recorded<R> {
  readonly kind: string;
  /** What they are, in one word, for deadlines. */
  readonly label: string;
  ownerOf(record: R): string;
}

export interface RecorderOptions {
  readonly store: Store;
  readonly deadlines: Deadlines;
  /** A commit failed: the store can't be trusted any more (protocol.md 18). */
  failed(error: unknown): void;
}

/**
 * Writes records of one kind in groups. A change that nobody waits for stays in memory for a moment, so that what ends
 * within it costs one row; an end is written at once. Acks to nodes go out only when an fsync has covered them.
 */
export class Recorder<R extends RecordHead> {
  readonly #recorded: Recorded<R>;
  readonly #options: RecorderOptions;
  readonly #versions = new Map<string, number>();
  readonly #lingering = new Map<string, R>();
  #lingerArmed = false;
  readonly #unsynced: (() => void)[] = [];
  #barrierArmed = false;

  constructor(recorded: Recorded<R>, options: RecorderOptions) {
    this.#recorded = recorded;
    this.#options = options;
  }

  /** A record that is on disk already. */
  adopt(record: R): void {
    this.#versions.set(record.id, record.version);
  }

  /** To be written soon. */
  later(record: R): void {
    this.#lingering.set(record.id, record);
    if (this.#lingerArmed) return;
    this.#lingerArmed = true;
    this.#options.deadlines.set(this, lingerMs, () => this.#flushLingering(), {
      label: `write ${this.#recorded.label}`,
    });
  }

  /**
   * Writes a record, together with `alongside` or not at all. Resolves when it is as durable as asked.
   *
   * @throws AppError `store.conflict` when one of `alongside` exists already; the record is then forgotten.
   */
  async now(record: R, durability: Durability, alongside: readonly PutOperation[] = []): Promise<void> {
    this.#lingering.delete(record.id);
    try {
      await this.#commit([...alongside, this.#operation(record)], durability);
    } catch (thrown) {
      this.#versions.delete(record.id);
      throw thrown;
    }
  }

  /** Writes the last value of a record and forgets it. `synced` is called when an fsync has covered it. */
  async last(record: R, durability: Durability, synced: () => void): Promise<void> {
    const written = this.now(record, durability);
    this.#versions.delete(record.id);
    await written;
    if (durability === 'fsync') synced();
    else this.#awaitBarrier(synced);
  }

  /** Writes all that lingers, for an orderly end. */
  async flush(): Promise<void> {
    const lingering = this.#takeLingering();
    if (lingering.length > 0) await this.#commit(lingering, 'fsync');
    await this.#barrier();
  }

  #operation(record: R): PutOperation {
    const version = (this.#versions.get(record.id) ?? 0) + 1;
    this.#versions.set(record.id, version);
    return toOperation(this.#recorded.kind, this.#recorded.ownerOf(record), { ...record, version });
  }

  #takeLingering(): PutOperation[] {
    if (this.#lingering.size === 0) return [];
    const operations = [...this.#lingering.values()].map((record) => this.#operation(record));
    this.#lingering.clear();
    return operations;
  }

  #flushLingering(): void {
    this.#lingerArmed = false;
    const lingering = this.#takeLingering();
    if (lingering.length > 0) this.#commit(lingering, 'wal').catch(() => undefined);
  }

  #awaitBarrier(synced: () => void): void {
    this.#unsynced.push(synced);
    if (this.#barrierArmed) return;
    this.#barrierArmed = true;
    const fire = (): void => {
      this.#barrierArmed = false;
      this.#barrier().catch(() => undefined);
    };
    this.#options.deadlines.set(this, barrierMs, fire, {
      label: `sync ${this.#recorded.label}`,
    });
  }

  /** One fsync for all that was written to the log before it. */
  async #barrier(): Promise<void> {
    const covered = this.#unsynced.splice(0);
    if (covered.length === 0) return;
    // An empty commit with an fsync makes everything before it durable.
    await this.#commit([], 'fsync');
    for (const synced of covered) synced();
  }

  async #commit(operations: readonly PutOperation[], durability: Durability): Promise<void> {
    try {
      await this.#options.store.commit(operations, durability);
    } catch (thrown) {
      const refused = thrown instanceof AppError && thrown.code === 'store.conflict';
      if (!refused) this.#options.failed(thrown);
      throw thrown;
    }
  }
}
