import type { Dispatch, DispatchOutcome } from '../contract/dispatch.js';
import { terminalDispatchStates } from '../contract/dispatch-states.js';
import type { CliContext } from './context.js';
import { type Colours, colours, errorLines, note, print } from './output.js';
import { printable, printableJson } from './printable.js';
import { durationText } from './time-text.js';

/** What each end means, for someone who does not know the words. */
const meanings = new Map<string, string>([
  ['rejected', 'the node refused it'],
  ['timed_out', 'the node ended it at its deadline'],
  ['cancelled', 'it was stopped'],
  ['expired', 'it was never delivered'],
  ['outcome_unknown', 'it may or may not have been done'],
]);

/** Prints what a dispatch returned, and beside it how it ended; of one that goes on its id. */
export function printDispatch(context: CliContext, dispatch: Dispatch): void {
  const ended = terminalDispatchStates.some((state) => state === dispatch.state);
  if (!ended) {
    note(
      context,
      `Accepted; it is ${dispatch.state}. Look at it with: palyra dispatches show ${dispatch.id}`,
    );
    print(context, dispatch.id);
    return;
  }
  note(context, ...outcomeText(colours(context.stderr, context.env), dispatch));
  if (dispatch.outcome?.output !== undefined) print(context, printableJson(dispatch.outcome.output, 2));
}

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
    ...allowedLines(outcome),
    ...failureLines(paint, outcome),
  ];
}

function allowedLines(outcome: DispatchOutcome | undefined): readonly string[] {
  const allowed = outcome?.allowed;
  if (allowed === undefined) return [];
  const until = allowed.until === undefined ? '' : `, and the same until ${printable(allowed.until)}`;
  return [
    allowed.by === 'person'
      ? `  The person at the node allowed it${until}`
      : `  The person at the node had allowed the same before${until.replace('and the same ', '')}`,
  ];
}

function failureLines(paint: Colours, outcome: DispatchOutcome | undefined): readonly string[] {
  const error = outcome?.error;
  if (error === undefined) return [];
  const { message, hint, fields } = error;
  return errorLines(paint, { message, hint, fields: fields === undefined ? undefined : [...fields] });
}
