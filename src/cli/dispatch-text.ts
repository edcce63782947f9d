import type { Dispatch, DispatchOutcome } from '../contract/dispatch.js';
import { type Colours, errorLines } from './output.js';
import { printable } from './printable.js';
import { durationText } from './time-text.js';

/** What each end means, for someone who does not know the words. */
const meanings = new Map<string, string>([
  ['rejected', 'the node refused it'],
  ['timed_out', 'the node ended it at its deadline'],
  ['cancelled', 'it was stopped'],
  ['expired', 'it was never delivered'],
  ['outcome_unknown', 'it may or may not have been done'],
]);

/** How a dispatch ended, in a few lines for a person. */
export function outcomeText(paint: Colours, dispatch: Dispatch): readonly string[] {
  const { state, outcome } = dispatch;
  const succeeded = state === 'succeeded';
  const refused = state === 'failed' || state === 'rejected';
  const colour = succeeded ? paint.green : refused ? paint.red : paint.yellow;
  const took = outcome?.durationMs === undefined ? '' : ` in ${durationText(outcome.durationMs)}`;
  const meaning = meanings.get(state);
  const why = [meaning, outcome?.reason]
    .filter((text) => text !== undefined)
    .map(printable)
    .join(': ');
  return [
    `${colour(`${succeeded ? '✓' : '✗'} ${state}`)}${took}${why === '' ? '' : `, ${why}`}  ${paint.dim(dispatch.id)}`,
    ...failureLines(paint, outcome),
  ];
}

function failureLines(paint: Colours, outcome: DispatchOutcome | undefined): readonly string[] {
  const error = outcome?.error;
  if (error === undefined) return [];
  const { message, hint, fields } = error;
  return errorLines(paint, { message, hint, fields: fields === undefined ? undefined : [...fields] });
}
