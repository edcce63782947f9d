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
export const dispatchStates = [...liveDispatchStates, ...terminalDispatchStates] as const;

export type DispatchState = (typeof dispatchStates)[number];
