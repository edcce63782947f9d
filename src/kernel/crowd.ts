import type { ActorLogic, AnyActorLogic, AnyActorRef, EventObject, Snapshot } from 'xstate';
import type { Address } from './address.js';
import type { Kernel } from './kernel.js';
import { reporting, stopType } from './lifecycle.js';
import { checkLimit } from './limits.js';
import { Membership } from './membership.js';

/** What a crowd understands, beside `kernel.shutdown`. */
export type CrowdEvent =
  /** Starts a member. It holds its address when the send returns. */
  | { readonly type: 'crowd.start'; readonly key: string; readonly input: unknown }
  /** Shuts a member down: `kernel.shutdown`, then a forced end after the crowd's `shutdownMs`. */
  | { readonly type: 'crowd.stop'; readonly key: string; readonly reason?: string };

/** What a crowd is made of, and what happens to a member that crashes. */
export interface CrowdOptions {
  readonly kernel: Kernel;
  /** What the members are, in one word, for logs. */
  readonly name: string;
  /** The logic of every member. */
  readonly logic: AnyActorLogic;
  readonly address: (key: string) => Address;
  /**
   * Gives a member that crashed the input for its second and last start, from its record; undefined when there is
   * nothing to go on with. Without it members are not started again, and one that was told to stop never is.
   */
  readonly revive?: (key: string, error: unknown) => unknown;
  /** Ends truthfully what a member stood for, when it won't be started again after a crash. */
  readonly abandon?: (key: string, error: unknown) => void;
  /** How long members have to end by themselves, in milliseconds. `Infinity` waits for ever. */
  readonly shutdownMs: number;
  /** How many members there may be. Default: no limit. */
  readonly capacity?: number;
  /** How many of each member's latest transitions are kept in memory, for explanations. Default: none. */
  readonly remember?: number;
}

/** What an actor of a crowd shows: whether it goes on. */
export type CrowdSnapshot = Snapshot<undefined>;

/** Actor logic of a crowd, as {@link crowd} makes it. */
export interface CrowdLogic extends ActorLogic<CrowdSnapshot, EventObject, unknown> {
  /** How many members are running. */
  readonly count: number;
}

const active: CrowdSnapshot = { status: 'active', output: undefined, error: undefined };
const done: CrowdSnapshot = { status: 'done', output: undefined, error: undefined };
const stopped: CrowdSnapshot = { status: 'stopped', output: undefined, error: undefined };

/**
 * Actor logic that supervises any number of temporary members of one kind, at a cost that doesn't grow with their
 * number. A member that crashes is started once more from `revive`; when it crashes again, `abandon` ends what it stood
 * for. Members never bring the crowd down. On `kernel.shutdown` all get it at once, and the crowd is done when they are
 * or after `shutdownMs`.
 *
 * A start that can't be done (running key, capacity, stopping) is logged and counted as a dead letter.
 *
 * @throws AppError `kernel.bad_supervisor` for a limit that is not a number from 0 up.
 * @example
 * const dispatches = crowd({
 *   kernel,
 *   name: 'dispatches',
 *   logic: dispatchLogic,
 *   address: (id) => address('dispatch', id),
 *   revive: (id) => records.get(id),
 *   abandon: (id) => records.fail(id),
 *   shutdownMs: 5_000,
 * });
 * // As a child of a supervisor at address('dispatches'):
 * const start: CrowdEvent = { type: 'crowd.start', key: 'd-1', input: record };
 * kernel.directory.send(address('dispatches'), start);
 * kernel.directory.send(address('dispatch', 'd-1'), { type: 'cancel' });
 */
export function crowd(options: CrowdOptions): CrowdLogic {
  const { kernel, logic, remember = 0 } = options;
  checkLimit('shutdownMs', options.shutdownMs);
  checkLimit('capacity', options.capacity);
  const memberLogic = kernel.transitions.remembering(reporting(logic), remember);
  const running = new Map<AnyActorRef, Membership>();

  return {
    get count() {
      let count = 0;
      for (const { members } of running.values()) count += members.size;
      return count;
    },
    getInitialSnapshot: () => active,
    start(_snapshot, scope) {
      running.set(scope.self, new Membership(options, memberLogic, scope));
    },
    transition(snapshot, event, scope) {
      const membership = running.get(scope.self);
      if (!membership) return snapshot;
      let goesOn = false;
      try {
        goesOn = event.type !== stopType && membership.receive(event);
      } finally {
        if (!goesOn) {
          membership.stopAll();
          running.delete(scope.self);
        }
      }
      if (goesOn) return snapshot;
      return event.type === stopType ? stopped : done;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}
