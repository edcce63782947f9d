import type { Cause } from '../../kernel/journal.js';
import type { TerminalDispatchState } from '../dispatch/record.js';

export const liveFanoutStates = ['running', 'stopping', 'cancelling'] as const;
/**
 * `succeeded`: all targets did. `partly_failed`: some did. `failed`: none did. `stopped`: after too many failures no more were
 * started. `cancelled`: somebody ended it.
 */
export const terminalFanoutStates = ['succeeded', 'partly_failed', 'failed', 'stopped', 'cancelled'] as const;
export type TerminalFanoutState = (typeof terminalFanoutStates)[number];
export type FanoutState = (typeof liveFanoutStates)[number] | TerminalFanoutState;

/**
 * How far one target is. `starting`: its dispatch is being made, or was when the daemon died. `started`: it has one, which has not
 * ended. `skipped`: its node was offline. `refused`: no dispatch was made, see its error. `not_started`: it was not its turn yet when
 * the fan-out was stopped or cancelled. Any other is the end of its dispatch.
 */
export type FanoutMemberState =
  | 'waiting'
  | 'starting'
  | 'started'
  | 'skipped'
  | 'refused'
  | 'not_started'
  | TerminalDispatchState;

/** What became of one target, in short; its dispatch says the rest. */
export interface FanoutMemberEnd {
  readonly state: Exclude<FanoutMemberState, 'waiting' | 'starting' | 'started'>;
  readonly reason?: string;
  readonly error?: { readonly code: string; readonly message: string };
  /** How long the handler ran, milliseconds. */
  readonly durationMs?: number;
}

/** One target of a fan-out. */
export interface FanoutMember extends Omit<FanoutMemberEnd, 'state'> {
  readonly deviceId: string;
  /** As the node was called when the fan-out was made. */
  readonly name: string;
  readonly state: FanoutMemberState;
  readonly dispatchId?: string;
  /** The revision of the fan-out in which this changed last. */
  readonly revision: number;
}

/** What happened to the fan-out as a whole: its journal, kept in its own row. */
export interface FanoutStep extends Cause {
  readonly at: number;
  readonly to: FanoutState;
}

/**
 * One request to run one capability on several nodes, which are fixed when it is made. Kind `fanout`; its input is in a row of its
 * own (kind `fanout-order`), since this one is written often. Times are milliseconds since the epoch.
 */
export interface FanoutRecord {
  readonly id: string;
  readonly version: number;
  readonly state: FanoutState;
  /** Grows with each change that can be seen. */
  readonly revision: number;
  /** What the targets were chosen by; '' for every node. */
  readonly selector: string;
  readonly capability: string;
  readonly caller: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Whether a target that is offline gets its dispatch queued. */
  readonly queue: boolean;
  /** How many targets may be under way at a time. */
  readonly batch: number;
  /** After so many failures no more are started. */
  readonly stopAfterFailures?: number;
  readonly members: readonly FanoutMember[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly finishedAt?: number;
  readonly cancelRequestedBy?: string;
  readonly steps: readonly FanoutStep[];
}

/** Whether a state is final. */
export function isFanoutOver(state: FanoutState): state is TerminalFanoutState {
  return (terminalFanoutStates as readonly string[]).includes(state);
}
