import { type AnyActorLogic, createActor } from 'xstate';
import { type Clock, systemClock } from './clock.js';
import { type DeadlineHandle, Deadlines } from './deadlines.js';
import { Directory } from './directory.js';
import { type AppError, toAppError } from './errors.js';
import { type ShutdownEvent, stopOrphans } from './lifecycle.js';
import { type KernelLog, neverThrowing, stderrLog } from './log.js';
import { TransitionLog } from './transition-log.js';

/** What every supervised actor can rely on. */
export interface Kernel {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly directory: Directory;
  /** The latest transitions of actors that are to be remembered. */
  readonly transitions: TransitionLog;
  readonly log: KernelLog;
  /** A number in [0, 1): jitter only, never for secrets. */
  readonly random: () => number;
}

/** What a kernel is given from outside. Everything has a default. */
export interface KernelOptions {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: warnings and errors on stderr. */
  readonly log?: KernelLog;
  /** Default: `Math.random`. */
  readonly random?: () => number;
}

/**
 * Makes a kernel. It holds no timer and no handle until something uses it.
 *
 * @example
 * const kernel = createKernel();
 * const ticker = fromCallback(() => {});
 * const root = startRoot(kernel, supervisor({
 *   kernel,
 *   strategy: 'one_for_one',
 *   children: [{ id: 'ticker', logic: ticker, restart: 'permanent', shutdown: 'brutal' }],
 * }));
 * const outcome = await root.shutdown('finished', 5_000);
 */
export function createKernel(options: KernelOptions = {}): Kernel {
  const { clock = systemClock, random = Math.random } = options;
  const log = options.log ?? stderrLog;
  const deadlines = new Deadlines(clock, log);
  const transitions = new TransitionLog(clock);
  const directory = new Directory(clock, deadlines, transitions, log);
  return { clock, deadlines, directory, transitions, log: neverThrowing(log), random };
}

/** How a root ended. `stopped`: it did not end by itself before its deadline. */
export type RootOutcome =
  | { readonly status: 'done'; readonly output: unknown }
  | { readonly status: 'stopped' }
  | { readonly status: 'error'; readonly error: AppError };

/** A running tree, seen from the program that started it. */
export interface RootHandle {
  /** Resolves when the root has ended, also with an error: the process should then exit with another code than 0. */
  readonly stopped: Promise<RootOutcome>;
  /**
   * Asks the root to end, and stops it after `deadlineMs` if it hasn't. Later calls may shorten the deadline.
   *
   * @param reason reaches every child that is shut down.
   * @param deadlineMs `Infinity` waits for ever.
   * @throws AppError `kernel.bad_delay` for NaN.
   */
  shutdown(reason: string, deadlineMs: number): Promise<RootOutcome>;
}

/**
 * Starts the root of a tree: a supervisor, as a rule. What escalates to it ends in `stopped`, never as an unhandled
 * rejection.
 *
 * @example
 * const root = startRoot(kernel, tree);
 * process.once('SIGTERM', () => void root.shutdown('SIGTERM', 10_000));
 * const outcome = await root.stopped;
 * process.exitCode = outcome.status === 'error' ? 1 : 0;
 */
export function startRoot(kernel: Kernel, logic: AnyActorLogic): RootHandle {
  const { deadlines, log } = kernel;
  const delayed = {};
  const actor = createActor(logic, {
    id: 'root',
    // XState's own delays (`after`, `raise` with a delay) join the one heap: right beyond 24.8 days, and simulated in tests.
    clock: {
      setTimeout: (fire: () => void, ms: number) => deadlines.set(delayed, ms, fire, { label: 'after' }),
      clearTimeout: (handle: DeadlineHandle) => deadlines.clear(handle),
    },
    logger: (...args: unknown[]) => log.info({ args }, 'A machine logged'),
  });
  const stopped = new Promise<RootOutcome>((resolve) => {
    const end = (outcome: RootOutcome): void => {
      deadlines.release(actor);
      deadlines.release(delayed);
      resolve(outcome);
    };
    actor.subscribe({
      error: (error: unknown) => {
        stopOrphans(actor);
        end({ status: 'error', error: toAppError(error) });
      },
      complete: () => {
        const snapshot = actor.getSnapshot();
        end(snapshot.status === 'done' ? { status: 'done', output: snapshot.output } : { status: 'stopped' });
      },
    });
  });
  actor.start();
  return {
    stopped,
    shutdown(reason, deadlineMs) {
      if (actor.getSnapshot().status === 'active') {
        const onOverdue = (): void => {
          log.warn({ reason, deadlineMs }, 'The root did not end within its deadline and was stopped');
          actor.stop();
        };
        if (deadlineMs !== Number.POSITIVE_INFINITY) {
          deadlines.set(actor, deadlineMs, onOverdue, { label: 'shutdown' });
        }
        actor.send({ type: 'kernel.shutdown', reason } satisfies ShutdownEvent);
      }
      return stopped;
    },
  };
}
