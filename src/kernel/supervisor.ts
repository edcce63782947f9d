import type { ActorLogic, EventObject, Snapshot } from 'xstate';
import type { BackoffOptions } from './backoff.js';
import type { ChildSpec, ChildStatus } from './child.js';
import type { Kernel } from './kernel.js';
import { kernelError } from './kernel-errors.js';
import { stopType } from './lifecycle.js';
import { checkLimit, checkWait } from './limits.js';
import { Supervision } from './supervision.js';

/**
 * Who is restarted when a child is (OTP's strategies): only that child, all children, or that child and those after it.
 */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

/** The children of a supervisor, and what happens when one fails. */
export interface SupervisorOptions {
  readonly kernel: Kernel;
  readonly strategy: Strategy;
  /** Started in this order, stopped in the reverse one. */
  readonly children: readonly ChildSpec[];
  /**
   * More than `restarts` within `withinMs` end the supervisor with an error. Default: 3 in 30 s. A supervisor of edges
   * (listeners, links) that should wait and try for ever takes `restarts: Infinity`.
   */
  readonly intensity?: { readonly restarts: number; readonly withinMs: number };
  /**
   * The wait before a child's restart: default at once, then 200 ms doubling to 30 s with jitter. A child that ran for
   * `quietMs` (default 30 s) begins again at the first.
   */
  readonly backoff?: Partial<Omit<BackoffOptions, 'random'>> & { readonly quietMs?: number };
  /**
   * Limit for the whole ordered stop, in milliseconds, after which all that is left is stopped. Default: `Infinity`.
   */
  readonly shutdownMs?: number;
}

/** What an actor of a supervisor shows. `table` is a live view on the children, in their order. */
export type SupervisorSnapshot = Snapshot<undefined> & { readonly table: readonly ChildStatus[] };

/** Actor logic of a supervisor, as {@link supervisor} makes it. */
export type SupervisorLogic = ActorLogic<SupervisorSnapshot, EventObject, unknown>;

/**
 * Actor logic that starts its children in order, restarts those that fail by OTP's rules, and stops them in reverse
 * order when it gets `kernel.shutdown`; then it is done. When restarting does not help it stops all and ends with an
 * error, which is a crash for its own supervisor. A child's throw never leaves the child.
 *
 * @throws AppError `kernel.bad_supervisor` for two children with one id, and for a limit that is not a number from 0 up.
 *   The actor itself ends with AppError `kernel.restart_intensity`, whose `cause` is the child's error.
 * @see OTP, Supervisor Behaviour: https://www.erlang.org/doc/system/sup_princ.html
 * @example
 * const logic = supervisor({
 *   kernel,
 *   strategy: 'rest_for_one',
 *   children: [
 *     { id: 'store', logic: storeLogic, restart: 'permanent', shutdown: 5_000 },
 *     { id: 'sessions', address: address('sessions'), logic: sessions, restart: 'permanent', shutdown: 5_000 },
 *   ],
 * });
 * const root = startRoot(kernel, logic);
 * await root.shutdown('SIGTERM', 10_000);
 */
export function supervisor(options: SupervisorOptions): SupervisorLogic {
  check(options);
  const states = new WeakMap<object, Supervision>();

  return {
    getInitialSnapshot(scope) {
      const state = new Supervision(options, scope);
      states.set(scope.self, state);
      return state.snapshot;
    },
    start(_snapshot, scope) {
      states.get(scope.self)?.start();
    },
    transition(snapshot, event, scope) {
      const state = states.get(scope.self);
      if (!state) return snapshot;
      if (event.type === stopType) {
        state.stopAll();
        return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
      }
      try {
        state.receive(event);
      } catch (error) {
        state.stopAll();
        throw error;
      }
      return state.snapshot;
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  };
}

/** What is wrong with a supervisor shows when it is made, not in the middle of a stop. */
function check({ children, intensity, backoff, shutdownMs }: SupervisorOptions): void {
  const ids = new Set<string>();
  for (const { id, shutdown } of children) {
    if (ids.has(id)) {
      throw kernelError('bad_supervisor', `Two children have the id '${id}'`, {
        hint: 'Give each its own id',
      });
    }
    ids.add(id);
    if (shutdown !== 'brutal') checkLimit(`shutdown of '${id}'`, shutdown);
  }
  checkLimit('intensity.restarts', intensity?.restarts);
  checkLimit('intensity.withinMs', intensity?.withinMs);
  checkWait('backoff.firstMs', backoff?.firstMs);
  checkWait('backoff.baseMs', backoff?.baseMs);
  checkWait('backoff.maxMs', backoff?.maxMs);
  checkLimit('backoff.quietMs', backoff?.quietMs);
  checkLimit('shutdownMs', shutdownMs);
}
