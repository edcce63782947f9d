import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { KernelLog } from '../../kernel/log.js';

const day = 86_400_000;
/** How long what was decided can be looked at, milliseconds (spec section 4). */
export const decidedKeptMs = 90 * day;

/** Records that are of use for a while after they have ended. */
export interface Pruned {
  /** Deletes those that ended before a time, milliseconds since the epoch. Returns how many. */
  prune(endedBefore: number): Promise<number>;
}

export interface RetentionOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly log: KernelLog;
  readonly pruned: Readonly<Record<string, Pruned>>;
}

/** Deletes requests and codes that ended long ago, now and once a day. What fails is logged and tried the next day. */
export function keepPruned(options: RetentionOptions): void {
  const { clock, deadlines, log, pruned } = options;
  for (const [kind, records] of Object.entries(pruned)) {
    records.prune(clock.now() - decidedKeptMs).then(
      (count) => {
        if (count > 0) log.info({ kind, count }, 'Deleted records that ended more than 90 days ago');
      },
      (err: unknown) => log.warn({ err, kind }, 'Old records could not be deleted'),
    );
  }
  deadlines.set(options, day, () => keepPruned(options), { label: 'prune' });
}
