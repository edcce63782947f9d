import type { StoredHead } from '../../kernel/store.js';
import { Sweeper, type SweeperOptions } from '../sweeper.js';
import { entriesOfDispatch } from './idempotency.js';
import type { LiveDispatches } from './live.js';
import { terminalDispatchStates } from './record.js';

/** How long one whose outcome nobody knows is kept at least: its node may still tell, milliseconds. */
export const resolutionMs = 86_400_000;

export interface DispatchRetentionOptions extends SweeperOptions {
  readonly live: LiveDispatches;
  /** Whether what asked for it may still look for it: a fan-out that has not ended. */
  isLookedFor(head: StoredHead): boolean;
}

/**
 * Deletes dispatches that have ended, each with its idempotency entry. One that has ended changes once more at most, when its
 * resolution comes; its age counts from there.
 */
export class DispatchRetention extends Sweeper {
  constructor(options: DispatchRetentionOptions) {
    const { store, live, isLookedFor } = options;
    super(
      {
        kind: 'dispatch',
        label: 'dispatches',
        states: terminalDispatchStates,
        // Of one that lives its end is on disk, and whoever waits for it has not been told yet.
        isNeeded: (head, now) =>
          live.get(head.id) !== undefined ||
          (head.state === 'outcome_unknown' && head.updatedAt > now - resolutionMs) ||
          isLookedFor(head),
        alongside: (head) => entriesOfDispatch(store, head),
      },
      options,
    );
  }
}
