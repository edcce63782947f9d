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
/** What is noted of a dispatch without a change of its state. */
export const dispatchNotes = [
  'cancel_requested',
  'stopping',
  'resent',
  'crashed',
  'resolution',
  'late_result',
] as const;
export const dispatchStates = [...liveDispatchStates, ...terminalDispatchStates] as const;

/** What a request would lead to, found out by a dry run. */
export const dispatchVerdicts = ['run', 'ask', 'wait', 'queue', 'existing', 'refuse'] as const;

export type TerminalDispatchState = (typeof terminalDispatchStates)[number];
export type DispatchState = (typeof dispatchStates)[number];
