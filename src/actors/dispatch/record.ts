import type { ErrorEnvelope } from '../../kernel/errors.js';
import type { Cause } from '../../kernel/journal.js';
import type { Allowance } from '../mediation/permission.js';

export const liveDispatchStates = ['queued', 'dispatched', 'awaiting_local_mediation', 'running'] as const;
export const terminalDispatchStates = [
  'succeeded',
  'failed',
  'rejected',
  'timed_out',
  'cancelled',
  'expired',
  'outcome_unknown',
] as const;
export type TerminalDispatchState = (typeof terminalDispatchStates)[number];
export type DispatchState = (typeof liveDispatchStates)[number] | TerminalDispatchState;

export const rejectionReasons = [
  'mediation_denied',
  'mediation_timeout',
  'node_policy',
  'node_validation',
] as const;
export type RejectionReason = (typeof rejectionReasons)[number];

/** What is noted of a dispatch without a change of its state. */
export const dispatchNotes = [
  'cancel_requested',
  'stopping',
  'resent',
  'crashed',
  'resolution',
  'late_result',
] as const;

/** How a dispatch ended, in the node's words or the daemon's. */
export interface DispatchOutcome {
  readonly state: TerminalDispatchState;
  /**
   * A {@link RejectionReason}, or why the daemon decided: `lost`, `crashed`, `unsettled`, `operator`, `revoked`, `removed`,
   * `banned`, `restored`.
   */
  readonly reason?: string;
  readonly output?: unknown;
  readonly error?: ErrorEnvelope;
  /** How long the handler ran, milliseconds by the node's monotonic clock. */
  readonly durationMs?: number;
  /** Whether the handler was ever started; absent when nobody knows. */
  readonly started?: boolean;
  /** What let it run at the node, where the person there is to be asked; as the node says. */
  readonly allowed?: {
    readonly by: Allowance['by'];
    /** Until when the same is allowed there without a question, RFC 3339 by the node's clock. */
    readonly until?: string;
  };
}

/** One step in the life of a dispatch: its journal, kept in its own row. `to` is its next state, or what is noted of it. */
export interface DispatchStep extends Cause {
  readonly at: number;
  readonly to: DispatchState | (typeof dispatchNotes)[number];
}

/** One request to run one capability on one node. Kind `dispatch`; `owner` is the device id. Times are milliseconds since the epoch. */
export interface DispatchRecord {
  readonly id: string;
  readonly version: number;
  readonly state: DispatchState;
  readonly deviceId: string;
  readonly capability: string;
  readonly descriptorDigest: string;
  readonly input: unknown;
  readonly caller: string;
  readonly labels: Readonly<Record<string, string>>;
  /** May be started more than once (protocol.md 18). */
  readonly repeatable: boolean;
  readonly idempotencyKey?: string;
  /** The fan-out that it was made for. */
  readonly fanout?: string;
  /** The dispatch that this one was asked for again from. */
  readonly retryOf?: string;
  /** How long the handler may run, milliseconds. */
  readonly timeoutMs: number;
  readonly mediationTimeoutMs: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Not delivered by then: `expired`. */
  readonly deliverBy: number;
  /** Nothing starts after this time. */
  readonly latestEnd: number;
  /** The epoch of the session in which it was or may have been sent; 0 when it certainly never was. */
  readonly sentInEpoch: number;
  readonly deliveredAt?: number;
  readonly finishedAt?: number;
  readonly cancelRequestedBy?: string;
  readonly outcome?: DispatchOutcome;
  /** What the node said after the daemon had ended it as `outcome_unknown`. */
  readonly resolution?: DispatchOutcome;
  readonly steps: readonly DispatchStep[];
}

const states: ReadonlySet<string> = new Set([...liveDispatchStates, ...terminalDispatchStates]);

/** Whether a step led to another state, or only notes something. */
export function isDispatchState(to: string): to is DispatchState {
  return states.has(to);
}

/** Whether a state is final: nothing but a resolution is ever added to it. */
export function isTerminal(state: DispatchState): state is TerminalDispatchState {
  return (terminalDispatchStates as readonly string[]).includes(state);
}
