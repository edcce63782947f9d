import type { Clock } from '../kernel/clock.js';
import type { Deadlines } from '../kernel/deadlines.js';
import { AppError } from '../kernel/errors.js';
import type { DeleteOperation, Store, StoredHead } from '../kernel/store.js';

/** How long a sweep rests after each page, milliseconds. */
const restMs = 5;
/** Records that are looked at in one turn of the event loop. */
const pageSize = 100;
/** What is deleted in one turn at most: rows, and bytes of their data unless one alone has more. */
const batch = { rows: 20, bytes: 524_288 } as const;

/** What is deleted. */
export interface SweepSubject {
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

/** Which of those that have ended are deleted: too old, or too many. Without either, all of those states. */
export interface SweepRule {
  /** How long one is kept after its end, milliseconds. */
  readonly ageMs?: number;
  /** How many are kept; of more, those created last. */
  readonly count?: number;
  /** Default: all states in which one has ended. */
  readonly states?: readonly string[];
}

/** How far a sweep is. It counts on while that goes on. */
export interface SweepProgress {
  /** Those that were looked at. */
  looked: number;
  /** Those that the rule says. */
  matched: number;
  pruned: number;
  /** Those that the rule says and that are kept all the same, since they are needed. */
  spared: number;
}

export interface SweeperOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
}

export const nothingYet = (): SweepProgress => ({ looked: 0, matched: 0, pruned: 0, spared: 0 });

/**
 * Deletes records of one kind that have ended, each with what belongs to it in one transaction. It keeps no state: a sweep
 * goes from the newest to the oldest by what is on disk, so one that was cut off is made good by the next. It reads no data of
 * the records and works in small turns, so that nobody waits for it.
 */
export class Sweeper {
  readonly #subject: SweepSubject;
  readonly #options: SweeperOptions;
  #stopped = false;

  constructor(subject: SweepSubject, options: SweeperOptions) {
    this.#subject = subject;
    this.#options = options;
  }

  /** Nothing is read or written from now on; what is missing is done after the next start. */
  stop(): void {
    this.#stopped = true;
    this.#options.deadlines.release(this);
  }

  /**
   * Goes once through all that have ended.
   *
   * @param dryRun only counts
   * @throws AppError what the store throws
   */
  async sweep(rule: SweepRule, progress: SweepProgress, dryRun = false): Promise<void> {
    const { store, clock } = this.#options;
    const now = clock.now();
    let kept = 0;
    let cursor: string | undefined;
    do {
      const page = await store.heads({
        kind: this.#subject.kind,
        states: rule.states ?? this.#subject.states,
        order: 'descending',
        limit: pageSize,
        ...(cursor === undefined ? {} : { cursor }),
      });
      const over: StoredHead[] = [];
      for (const head of page.records) {
        progress.looked += 1;
        const isOver = isOverBy(rule, head, kept, now);
        const isSpared = isOver && this.#subject.isNeeded(head, now);
        if (!isOver || isSpared) kept += 1;
        if (isOver) progress.matched += 1;
        if (isSpared) progress.spared += 1;
        else if (isOver) over.push(head);
      }
      if (!dryRun) for (const heads of batches(over)) progress.pruned += await this.#delete(heads);
      cursor = page.next;
      if (cursor !== undefined) await this.#rest();
    } while (cursor !== undefined);
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

function isOverBy(
  { ageMs, count }: SweepRule,
  { updatedAt }: StoredHead,
  kept: number,
  now: number,
): boolean {
  if (ageMs === undefined && count === undefined) return true;
  return (count !== undefined && kept >= count) || (ageMs !== undefined && updatedAt < now - ageMs);
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
