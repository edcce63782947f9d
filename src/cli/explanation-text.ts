import { shortDeviceId } from '../actors/identity/device-id.js';
import type { Explanation } from '../contract/explanation.js';
import type { CliContext } from './context.js';
import { type Colours, colours } from './output.js';
import { printable } from './printable.js';
import { durationText, relativeTime } from './time-text.js';

/** An explanation for a person: the state and what it means, what happened, who can move it, what comes next. */
export function explanationText(context: CliContext, explanation: Explanation): readonly string[] {
  const paint = colours(context.stdout, context.env);
  const now = context.clock.now();
  const { kind, id, title, notes, description } = explanation;
  return [
    `${kind} ${paint.bold(printable(id))}: ${printable(title)}`,
    '',
    `  ${stateText(paint, explanation, now)}`,
    ...[description, ...notes].filter((text) => text !== '').map((text) => `  ${printable(text)}.`),
    ...section(paint, 'What happened', historyLines(paint, explanation)),
    ...section(paint, 'Who can move it', acceptedLines(paint, explanation)),
    ...section(paint, 'What happens next', nextLines(explanation, now)),
  ];
}

function stateText(paint: Colours, { state, actorState, since }: Explanation, now: number): string {
  const closer = actorState === undefined || actorState === state ? '' : ` (${printable(actorState)})`;
  const when = since === undefined ? '' : `, for ${durationText(Math.max(0, now - Date.parse(since)))}`;
  return `${paint.bold(printable(state))}${closer}${when}`;
}

function section(paint: Colours, title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', paint.bold(title), ...lines];
}

function historyLines({ dim }: Colours, { history }: Explanation): readonly string[] {
  const start = Date.parse(history[0]?.at ?? '');
  return history.map(({ at, event, by, from, to, note }, index) => {
    const when = index === 0 ? at.replace('T', ' ').slice(0, 19) : `+${durationText(Date.parse(at) - start)}`;
    const step = from === to ? printable(event) : `${printable(to)} ${dim(`on ${printable(event)}`)}`;
    const why = note === undefined ? '' : `: ${printable(note)}`;
    return `  ${dim(when.padStart(19))}  ${step}, ${dim(`by ${printable(shortCaller(by))}`)}${why}`;
  });
}

/** A caller label with the device id as short as it is shown elsewhere. */
function shortCaller(by: string): string {
  const device = 'device:';
  return by.startsWith(device) ? `${device}${shortDeviceId(by.slice(device.length))}` : by;
}

/** What people may do, and what else moves it; what parts of the system only hand through it is left to `--json`. */
function acceptedLines({ dim }: Colours, { accepts }: Explanation): readonly string[] {
  return accepts.flatMap(({ event, sender, branches, permission }) => {
    const shown = permission ? branches : branches.filter(({ target }) => target !== undefined);
    if (shown.length === 0) return [];
    return [
      `  ${printable(event)} ${dim(`from ${printable(sender)}`)}`,
      ...shown.map(({ description, target, guard }) => {
        const means = printable(
          description ?? (target === undefined ? 'it is taken' : `it goes to ${target}`),
        );
        const only = guard === undefined || branches.length === 1 ? '' : dim(` [${printable(guard)}]`);
        return `    ${means}${only}`;
      }),
    ];
  });
}

function nextLines({ ended, next }: Explanation, now: number): readonly string[] {
  if (ended) return ['  Nothing: it has ended.'];
  if (next === undefined) return [];
  const leads = next.leadsTo.length === 0 ? '' : `: ${next.leadsTo.map(printable).join('; or: ')}`;
  return [`  ${relativeTime(next.at, now)} (${printable(next.label)})${leads}`];
}
