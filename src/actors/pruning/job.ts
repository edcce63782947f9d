import type { ErrorEnvelope } from '../../kernel/errors.js';
import type { SweepProgress, SweepRule } from '../sweeper.js';
import type { PruneJob, PruneOrder } from './view.js';

/** A sweep that was ordered. */
export interface OrderedSweep {
  readonly number: number;
  readonly order: PruneOrder;
  readonly by: string;
  readonly createdAt: number;
  /** Counts on while it is carried out. */
  readonly progress: SweepProgress;
}

/** What an order means; `otherwise` where it says nothing. */
export function ruleOf({ olderThanMs, keep, states }: PruneOrder, otherwise: SweepRule): SweepRule {
  if (olderThanMs === undefined && keep === undefined && states === undefined) return otherwise;
  return {
    ...(olderThanMs === undefined ? {} : { ageMs: olderThanMs }),
    ...(keep === undefined ? {} : { count: keep }),
    ...(states === undefined ? {} : { states }),
  };
}

/** Whether two orders want the same. */
export function isSameOrder(one: PruneOrder, other: PruneOrder): boolean {
  const key = ({ olderThanMs, keep, states, dryRun = false }: PruneOrder): string =>
    JSON.stringify([olderThanMs, keep, states && [...new Set(states)].sort(), dryRun]);
  return key(one) === key(other);
}

/** How an ordered sweep stands. */
export function jobOf(
  { number, order, by, createdAt, progress }: OrderedSweep,
  state: PruneJob['state'],
  end: { readonly finishedAt?: number; readonly error?: ErrorEnvelope } = {},
): PruneJob {
  return { ...order, ...progress, dryRun: order.dryRun === true, number, state, by, createdAt, ...end };
}
