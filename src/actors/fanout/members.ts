import type { Cause } from '../../kernel/journal.js';
import { type DispatchRecord, isTerminal } from '../dispatch/record.js';
import type {
  FanoutMember,
  FanoutMemberEnd,
  FanoutMemberState,
  FanoutRecord,
  FanoutState,
  TerminalFanoutState,
} from './record.js';

/** Whether a target may still change: it waits, or is under way. */
export function isOpen({ state }: Pick<FanoutMember, 'state'>): boolean {
  return state === 'waiting' || isUnderWay({ state });
}

/** Whether a target has a dispatch that has not ended, or is about to have one. */
export function isUnderWay({ state }: Pick<FanoutMember, 'state'>): boolean {
  return state === 'starting' || state === 'started';
}

/** How many targets have failed: those that ended without success, other than for being offline. */
export function failuresOf({ members }: FanoutRecord): number {
  const harmless: readonly FanoutMemberState[] = ['succeeded', 'skipped', 'not_started'];
  return members.filter((member) => !isOpen(member) && !harmless.includes(member.state)).length;
}

/** The targets whose turn it is: the first that wait, as many as there is room for. */
export function chosenOf({ members, batch }: FanoutRecord): readonly FanoutMember[] {
  const room = batch - members.filter(isUnderWay).length;
  return members.filter(({ state }) => state === 'waiting').slice(0, Math.max(0, room));
}

/** The record with some targets changed, by device id, in a new revision. What has ended stays as it is. */
export function withMembers(
  record: FanoutRecord,
  changes: ReadonlyMap<string, Partial<FanoutMember>>,
  at: number,
): FanoutRecord {
  const revision = record.revision + 1;
  const members = record.members.map((member) => {
    const change = changes.get(member.deviceId);
    return change === undefined || !isOpen(member) ? member : { ...member, ...change, revision };
  });
  return { ...record, revision, members, updatedAt: at };
}

/** The record in its next state, with the step that led there. */
export function fanoutStep(record: FanoutRecord, to: FanoutState, at: number, cause: Cause): FanoutRecord {
  const steps = [...record.steps, { ...cause, at, to }];
  return { ...record, revision: record.revision + 1, state: to, updatedAt: at, steps };
}

/** What a dispatch tells of the target that it was made for. */
export function memberOf(dispatch: DispatchRecord): Partial<FanoutMember> {
  const { id: dispatchId, outcome, state } = dispatch;
  return isTerminal(state)
    ? { dispatchId, ...endOf({ state, ...outcome }) }
    : { dispatchId, state: 'started' };
}

function endOf({
  state,
  reason,
  error,
  durationMs,
}: Pick<
  NonNullable<DispatchRecord['outcome']>,
  'state' | 'reason' | 'error' | 'durationMs'
>): FanoutMemberEnd {
  return {
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message.slice(0, 500) } }),
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}

/** How a fan-out ends whose targets have all ended. */
export function verdictOf({ state, members }: FanoutRecord): TerminalFanoutState {
  if (state === 'cancelling') return 'cancelled';
  if (state === 'stopping') return 'stopped';
  const succeeded = members.filter((member) => member.state === 'succeeded').length;
  if (succeeded === members.length) return 'succeeded';
  return succeeded > 0 ? 'partly_failed' : 'failed';
}
