import type { Clock } from '../kernel/clock.js';
import type { Deadlines } from '../kernel/deadlines.js';
import { AppError } from '../kernel/errors.js';
import type { KernelLog } from '../kernel/log.js';
import type { DeleteOperation, Store, StoredHead } from '../kernel/store.js';

/** How often old records are looked for, milliseconds. */
export const sweepMs = 3_600_000;
/** How long a sweep rests after each page, milliseconds. */
const restMs = 5;
/** Records that are looked at in one turn of the event loop. */
const pageSize = 100;
/** What is deleted in one turn at most: rows, and bytes of their data unless one alone has more. */
const batch = { rows: 20, bytes: 524_288 } as const;

/** What is deleted. */
export interface RetentionSubject {
  readonly kind: string;
  /** What they are, in one word, for logs. */
  readonly label: string;
  /** The states of those that have ended. */
  readonly states: readonly string[];
  /** Whether one is kept, however old it is and however many there are. */
  isNeeded(head: StoredHead, now: number): boolean;
  /** What is deleted in one transaction with a record. */
  alongside(head: StoredHead): Promise<readonly DeleteOperation[]>;
}

export interface RetentionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly log: KernelLog;
  /** How long a record is kept after its end, milliseconds. */
  readonly ageMs: number;
  /** How many that have ended are kept; of more, those created last. */
  readonly count: number;
}

/**
 * Deletes records of one kind that ended long ago, and the oldest when there are too many, each with what belongs to it in one
 * transaction. It keeps no state: a sweep goes from the newest to the oldest by what is on disk, so one that was cut off is
 * made good by the next. It reads no data of the records and works in small turns, so that nobody waits for it.
 */
export class Retention {
  readonly #subject: RetentionSubject;
  readonly #options: RetentionOptions;
  #stopped = false;

  constructor(subject: RetentionSubject, options: RetentionOptions) {
    this.#subject = subject;
    this.#options = options;
  }

  /** Sweeps now and then once an hour. What fails is logged and tried again then. */
  start(): void {
    const { deadlines, log } = this.#options;
    const { label } = this.#subject;
    this.sweep()
      .then(
        (pruned) => {
          if (pruned > 0) log.info({ pruned }, `Deleted ${label} that ended long ago`);
        },
        (err: unknown) => log.warn({ err }, `Old ${label} could not be deleted`),
      )
      .finally(() => {
        if (!this.#stopped) deadlines.set(this, sweepMs, () => this.start(), { label: `prune ${label}` });
      });
  }

  /** Nothing is read or written from now on; what is missing is done after the next start. */
  stop(): void {
    this.#stopped = true;
    this.#options.deadlines.release(this);
  }

  /** Goes once through all that have ended. Returns how many were deleted. */
  async sweep(): Promise<number> {
    const { store, clock } = this.#options;
    const now = clock.now();
    let kept = 0;
    let pruned = 0;
    let cursor: string | undefined;
    do {
      const page = await store.heads({
        kind: this.#subject.kind,
        states: this.#subject.states,
        order: 'descending',
        limit: pageSize,
        ...(cursor === undefined ? {} : { cursor }),
      });
      const over: StoredHead[] = [];
      for (const head of page.records) {
        if (this.#isOver(head, kept, now)) over.push(head);
        else kept += 1;
      }
      for (const heads of batches(over)) pruned += await this.#delete(heads);
      cursor = page.next;
      if (cursor !== undefined) await this.#rest();
    } while (cursor !== undefined);
    return pruned;
  }

  #isOver(head: StoredHead, kept: number, now: number): boolean {
    const { ageMs, count } = this.#options;
    if (this.#subject.isNeeded(head, now)) return false;
    return kept >= count || head.updatedAt < now - ageMs;
  }

  /** Deletes records in one turn, each for itself: one that changed meanwhile stays. */
  async #delete(heads: readonly StoredHead[]): Promise<number> {
    if (this.#stopped) return 0;
    const { store } = this.#options;
    const commits: (readonly DeleteOperation[])[] = [];
    for (const head of heads) {
      const own = { op: 'delete', kind: this.#subject.kind, id: head.id, expect: head.version } as const;
      commits.push([own, ...(await this.#subject.alongside(head))]);
    }
    // A power cut brings back only what the next sweep deletes again.
    const outcomes = await Promise.allSettled(commits.map((operations) => store.commit(operations, 'wal')));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected' && !isConflict(outcome.reason)) throw outcome.reason;
    }
    return outcomes.filter(({ status }) => status === 'fulfilled').length;
  }

  /** Lets the event loop go on; never ends once this was stopped. */
  #rest(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#stopped)
        this.#options.deadlines.set(this, restMs, resolve, { label: `prune ${this.#subject.label}` });
    });
  }
}

function isConflict(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code === 'store.conflict';
}

function* batches(heads: readonly StoredHead[]): Generator<readonly StoredHead[]> {
  let next: StoredHead[] = [];
  let bytes = 0;
  for (const head of heads) {
    if (next.length === batch.rows || (next.length > 0 && bytes + head.bytes > batch.bytes)) {
      yield next;
      next = [];
      bytes = 0;
    }
    next.push(head);
    bytes += head.bytes;
  }
  if (next.length > 0) yield next;
}
