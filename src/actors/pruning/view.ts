import type { VerifiedCaller } from '../../kernel/authority.js';
import type { ErrorEnvelope } from '../../kernel/errors.js';
import type { TerminalDispatchState } from '../dispatch/record.js';
import type { SweepProgress } from '../sweeper.js';

/** What an operator wants deleted of what has ended. Without any of age, number and states: what the configuration says. */
export interface PruneOrder {
  readonly olderThanMs?: number;
  /** How many are kept. */
  readonly keep?: number;
  readonly states?: readonly TerminalDispatchState[];
  /** Only count. */
  readonly dryRun?: boolean;
}

/** What became of an order. `finishedAt` and `error` come with its end. Times are milliseconds since the epoch. */
export interface PruneJob extends Readonly<SweepProgress>, PruneOrder {
  /** Counts the orders since the daemon started. */
  readonly number: number;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly by: string;
  readonly dryRun: boolean;
  readonly createdAt: number;
  readonly finishedAt?: number;
  readonly error?: ErrorEnvelope;
}

export interface PruneControl {
  /**
   * Begins to delete dispatches that have ended, or joins what was ordered in the same words and has not ended. It goes on in
   * the background, in nobody's way.
   *
   * @throws AppError `pruning.forbidden`, `pruning.busy` while another order is carried out.
   */
  prune(caller: VerifiedCaller, order: PruneOrder): Promise<PruneJob>;
  /** The order that was given last, and how far it is; undefined when there was none since the daemon started. */
  pruning(caller: VerifiedCaller): Promise<PruneJob | undefined>;
}
