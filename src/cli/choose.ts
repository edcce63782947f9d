import type { Readable, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Choice } from './context.js';

/** Where a question is shown and its answer typed. */
export interface Terminal {
  readonly input: Readable & { setRawMode?(on: boolean): unknown };
  readonly output: Writable & { readonly columns?: number };
}

/** Lines of a prompt beside its question and its answers. */
const frameLines = 4;
/** Where the cursor stands is kept, and it goes back there and clears all below. */
const keepPlace = '\u001b7';
const clearFromPlace = '\u001b8\u001b[J';

/**
 * Shows a question with its answers on a terminal; see `CliContext.choose`.
 *
 * @example await choose({ input: process.stdin, output: process.stdout }, 'Stop?', [{ value: 1, label: 'No' }], signal);
 */
export async function choose<T>(
  terminal: Terminal,
  question: string,
  choices: readonly Choice<T>[],
  signal: AbortSignal,
): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  const prompts = await import('@clack/prompts');
  await dropTyped(terminal.input);
  if (signal.aborted) return undefined;
  // By number: a value may be anything, and the prompt's type wants to know whether it is a primitive.
  const options = choices.map(({ label }, value) => ({ value, label }));
  terminal.output.write(`${room(terminal, question, choices.length)}${keepPlace}`);
  const chosen = await prompts.select({ message: question, options, initialValue: 0, signal, ...terminal });
  if (signal.aborted) terminal.output.write(clearFromPlace);
  return prompts.isCancel(chosen) ? undefined : choices[chosen]?.value;
}

/**
 * What was typed before a question stands there is no answer to it: keys that were meant for one that was taken back, say.
 * In raw mode the system gives a line out that is not finished, too; two turns of the loop are enough to hear it.
 */
async function dropTyped(input: Terminal['input']): Promise<void> {
  const drop = (): void => undefined;
  input.setRawMode?.(true);
  input.on('data', drop);
  // The prompt before has paused it.
  input.resume();
  for (let turn = 0; turn < 2; turn++) await setImmediate();
  input.off('data', drop);
  input.pause();
}

/** Scrolls before it is drawn, so that the place of its first line stays where it is while it stands there. */
function room({ output }: Terminal, question: string, choices: number): string {
  // A terminal that does not know its size says 0.
  const columns = output.columns || 80;
  const lines = question.split('\n').map((line) => Math.ceil((line.length + frameLines) / columns));
  const height = lines.reduce((sum, one) => sum + one, choices + frameLines);
  return `${'\n'.repeat(height)}\u001b[${height}A`;
}
