import type { MediationAnswer, MediationRequest } from '../actors/mediation/question.js';
import { formatDuration } from '../kernel/duration.js';
import type { Choice, CliContext } from './context.js';
import { printable, printableJson } from './printable.js';

/** How much of an input is shown. What is longer is cut, and says so. */
const mostLines = 20;
const mostCharacters = 2_000;
/** A time that is offered beside the longest one that the capability lets, milliseconds. */
const shortMs = 600_000;

/**
 * Asks the person at the terminal whether a call may run. Who gives up (Esc, Ctrl-C) has said no.
 *
 * @param signal takes the question from the screen
 */
export async function askPermission(
  context: Pick<CliContext, 'choose'>,
  request: MediationRequest,
  signal: AbortSignal,
): Promise<MediationAnswer> {
  return (await context.choose(questionOf(request), choicesOf(request), signal)) ?? { answer: 'deny' };
}

/** What is asked, without anything of a peer that a terminal might obey. */
export function questionOf(request: MediationRequest): string {
  const { caller, capability, title, plugin, publisher, version, build, input, timeoutMs } = request;
  const seconds = formatDuration(Math.max(1, Math.round(timeoutMs / 1_000)) * 1_000);
  return [
    `${printable(caller)} asks to run ${printable(capability)} on this machine: ${printable(title)}`,
    `  Plugin ${printable(plugin)} ${printable(version)} of ${printable(publisher)}, build ${printable(build).slice(0, 12)}`,
    ...inputLines(input),
    `Allow it? No answer within ${seconds} is a no.`,
  ].join('\n');
}

/** No comes first: whoever presses Enter without reading has allowed nothing. */
function choicesOf({ remember, caller }: MediationRequest): readonly Choice<MediationAnswer>[] {
  const once: readonly Choice<MediationAnswer>[] = [
    { value: { answer: 'deny' }, label: 'No' },
    { value: { answer: 'allow' }, label: 'Yes, this once' },
  ];
  if (remember === undefined) return once;
  const { value, mostMs } = remember;
  const times = mostMs > shortMs ? [shortMs, mostMs] : [mostMs];
  const whole = `${printable(value)} whenever ${printable(caller)} asks`;
  return [
    ...once,
    ...times.map((rememberMs) => ({
      value: { answer: 'allow', rememberMs } as const,
      label: `Yes, and ${whole}, for ${formatDuration(rememberMs)}`,
    })),
  ];
}

function inputLines(input: unknown): readonly string[] {
  const text = printableJson(input, 2);
  const lines = text.slice(0, mostCharacters).split('\n');
  const shown = lines.slice(0, mostLines).map((line) => `  ${line}`);
  const isCut = text.length > mostCharacters || lines.length > mostLines;
  return isCut ? [...shown, `  … cut here; it is ${text.length} characters in all`] : shown;
}
