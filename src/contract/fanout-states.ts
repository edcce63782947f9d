import { terminalDispatchStates } from './dispatch-states.js';

export const liveFanoutStates = ['running', 'stopping', 'cancelling'] as const;
export const terminalFanoutStates = ['succeeded', 'partly_failed', 'failed', 'stopped', 'cancelled'] as const;
export const fanoutStates = [...liveFanoutStates, ...terminalFanoutStates] as const;
export type FanoutState = (typeof fanoutStates)[number];

/** Where a target is that has not ended. */
export const openMemberStates = ['waiting', 'starting', 'started'] as const;
export const fanoutMemberStates = [
  ...openMemberStates,
  'skipped',
  'refused',
  'not_started',
  ...terminalDispatchStates,
] as const;
export type FanoutMemberState = (typeof fanoutMemberStates)[number];
