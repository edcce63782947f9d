import type { DispatchState } from '../contract/dispatch-states.js';
import type { FanoutState } from '../contract/fanout-states.js';
import type { ErrorCategory } from '../kernel/errors.js';

/** What `palyra` tells a script by its exit code. Stable. */
export const exitCodes = {
  ok: 0,
  internal: 1,
  usage: 2,
  notAuthorised: 3,
  notReachable: 4,
  policy: 5,
  precondition: 6,
  notFound: 7,
  timedOut: 8,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What `palyra node status` ends with, as init scripts do (LSB): it runs, it does not, it runs and does not answer. */
export const serviceExitCodes = { running: 0, stopped: 3, silent: 4 } as const satisfies Record<
  string,
  ExitCode
>;

const ofCategory: Readonly<Record<ErrorCategory, ExitCode>> = {
  internal: exitCodes.internal,
  validation: exitCodes.usage,
  unauthenticated: exitCodes.notAuthorised,
  forbidden: exitCodes.notAuthorised,
  unavailable: exitCodes.notReachable,
  policy: exitCodes.policy,
  precondition: exitCodes.precondition,
  conflict: exitCodes.precondition,
  busy: exitCodes.precondition,
  not_found: exitCodes.notFound,
  timeout: exitCodes.timedOut,
};

/** The exit code of a command that failed with an error of that category. */
export function exitCodeOfCategory(category: ErrorCategory): ExitCode {
  return ofCategory[category] ?? exitCodes.internal;
}

const ofState: Readonly<Record<DispatchState, ExitCode>> = {
  queued: exitCodes.ok,
  dispatched: exitCodes.ok,
  awaiting_local_mediation: exitCodes.ok,
  running: exitCodes.ok,
  succeeded: exitCodes.ok,
  failed: exitCodes.internal,
  rejected: exitCodes.policy,
  timed_out: exitCodes.timedOut,
  cancelled: exitCodes.precondition,
  expired: exitCodes.precondition,
  outcome_unknown: exitCodes.precondition,
};

/** The exit code of a command that ran a dispatch to that state. One that goes on was accepted, which is success. */
export function exitCodeOfDispatch(state: DispatchState): ExitCode {
  return ofState[state] ?? exitCodes.internal;
}

const ofFanout: Readonly<Record<FanoutState, ExitCode>> = {
  running: exitCodes.ok,
  stopping: exitCodes.ok,
  cancelling: exitCodes.ok,
  succeeded: exitCodes.ok,
  partly_failed: exitCodes.internal,
  failed: exitCodes.internal,
  stopped: exitCodes.precondition,
  cancelled: exitCodes.precondition,
};

/** The exit code of a command that ran a fan-out to that state: success only when all its targets succeeded. */
export function exitCodeOfFanout(state: FanoutState): ExitCode {
  return ofFanout[state] ?? exitCodes.internal;
}
