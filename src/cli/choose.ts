import type { Readable, Writable } from 'node:stream';
import type { Choice } from './context.js';

/** Where a question is shown and its answer typed. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/** Moves to the start of the line, and clears it and all below. */
const clearLine = '\r\u001b[J';

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
  // By number: a value may be anything, and the prompt's type wants to know whether it is a primitive.
  const options = choices.map(({ label }, value) => ({ value, label }));
  const chosen = await prompts.select({ message: question, options, initialValue: 0, signal, ...terminal });
  if (signal.aborted) terminal.output.write(clearLine);
  return prompts.isCancel(chosen) ? undefined : choices[chosen]?.value;
}
