import { dispatchError } from '../errors.js';
import { type DispatchRecord, isTerminal } from './record.js';
import type { CreateDispatch, RetryDispatch } from './view.js';

/**
 * The request that asks for the same again.
 *
 * @throws AppError `dispatch.not_ended`; `dispatch.may_have_run` for work that may not run twice and of which nobody knows
 *   whether it ran, unless that is wanted.
 */
export function retryRequest(
  record: DispatchRecord,
  { mayHaveRun, keyIfNeeded, queue }: RetryDispatch,
): CreateDispatch {
  const { id, state, repeatable, resolution } = record;
  if (!isTerminal(state)) {
    throw dispatchError('not_ended', `Dispatch ${id} has not ended: it is ${state}`, {
      hint: `Wait for its end, or cancel it first: palyra dispatches cancel ${id}`,
    });
  }
  if (state === 'outcome_unknown' && !repeatable && resolution === undefined && !mayHaveRun) {
    throw dispatchError('may_have_run', `Nobody knows whether dispatch ${id} ran, and it may not run twice`, {
      hint: `Look at the machine first. To ask for it again all the same: palyra dispatches retry ${id} --may-have-run`,
      fields: [{ field: 'mayHaveRun', message: 'has to be true' }],
    });
  }
  return {
    retryOf: id,
    node: record.deviceId,
    capability: record.capability,
    input: record.input,
    labels: record.labels,
    timeoutMs: record.timeoutMs,
    ...(keyIfNeeded === undefined ? {} : { keyIfNeeded }),
    ...(queue === undefined ? {} : { queue }),
  };
}
