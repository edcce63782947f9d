import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { AppError } from '../../kernel/errors.js';
import type { KernelLog } from '../../kernel/log.js';
import type { DeleteOperation, Store, StoredHead } from '../../kernel/store.js';
import { entriesOfDispatch } from './idempotency.js';
import type { LiveDispatches } from './live.js';
import { terminalDispatchStates } from './record.js';

/** How often old dispatches are looked for, milliseconds. */
export const sweepMs = 3_600_000;
/** How long one whose outcome nobody knows is kept at least: its node may still tell, milliseconds. */
export const resolutionMs = 86_400_000;
/** How long a sweep rests after each page, milliseconds. */
const restMs = 5;
/** Dispatches that are looked at in one turn of the event loop. */
const pageSize = 100;
/** What is deleted in one turn at most: rows, and bytes of their data unless one alone has more. */
const batch = { rows: 20, bytes: 524_288 } as const;

export interface DispatchRetentionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly log: KernelLog;
  readonly live: LiveDispatches;
  /** How long a dispatch is kept after its end, milliseconds. */
  readonly ageMs: number;
  /** How many that have ended are kept; of more, those created last. */
  readonly count: number;
}

/**
 * Deletes dispatches that ended long ago, and the oldest when there are too many, each with its idempotency entry in one
 * transaction. It keeps no state: a sweep goes from the newest to the oldest by what is on disk, so one that was cut off is
 * made good by the next. It reads no data of the dispatches and works in small turns, so that nobody waits for it.
 */
export class DispatchRetention {
  readonly #options: DispatchRetentionOptions;
  #stopped = false;

  constructor(options: DispatchRetentionOptions) {
    this.#options = options;
  }

  /** Sweeps now and then once an hour. What fails is logged and tried again then. */
  start(): void {
    const { deadlines, log } = this.#options;
    this.sweep()
      .then(
        (pruned) => {
          if (pruned > 0) log.info({ pruned }, 'Deleted dispatches that ended long ago');
        },
        (err: unknown) => log.warn({ err }, 'Old dispatches could not be deleted'),
      )
      .finally(() => {
        if (!this.#stopped) deadlines.set(this, sweepMs, () => this.start(), { label: 'prune dispatches' });
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
        kind: 'dispatch',
        states: terminalDispatchStates,
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

  /** A record that has ended changes once more at most, when its resolution comes; its age counts from there. */
  #isOver({ id, state, updatedAt }: StoredHead, kept: number, now: number): boolean {
    const { ageMs, count, live } = this.#options;
    // Its end is on disk, and whoever waits for it has not been told yet.
    if (live.get(id)) return false;
    if (state === 'outcome_unknown' && updatedAt > now - resolutionMs) return false;
    return kept >= count || updatedAt < now - ageMs;
  }

  /** Deletes dispatches in one turn, each for itself: one that got its resolution meanwhile stays. */
  async #delete(heads: readonly StoredHead[]): Promise<number> {
    if (this.#stopped) return 0;
    const { store } = this.#options;
    const commits: (readonly DeleteOperation[])[] = [];
    for (const head of heads) {
      const own = { op: 'delete', kind: 'dispatch', id: head.id, expect: head.version } as const;
      commits.push([own, ...(await entriesOfDispatch(store, head))]);
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
      if (!this.#stopped) this.#options.deadlines.set(this, restMs, resolve, { label: 'prune dispatches' });
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
