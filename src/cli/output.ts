import picocolors from 'picocolors';
import type { AppError } from '../kernel/errors.js';
import { type CliContext, type CliOutput, hasColours } from './context.js';
import { printable, printableJson, printableLines } from './printable.js';
import { durationText } from './time-text.js';

/** What printing needs of a program's context. */
export type OutputContext = Pick<CliContext, 'stdout' | 'stderr' | 'env'>;

export type Colours = ReturnType<typeof picocolors.createColors>;

/** Colours for what is printed there; they do nothing where there are none. */
export function colours(output: CliOutput, env: NodeJS.ProcessEnv): Colours {
  return picocolors.createColors(hasColours(output, env));
}

/** Prints lines for a person as a result. */
export function print({ stdout }: Pick<CliContext, 'stdout'>, ...lines: readonly string[]): void {
  stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** Prints lines for a person beside the result. */
export function note({ stderr }: OutputContext, ...lines: readonly string[]): void {
  stderr.write(lines.map((line) => `${line}\n`).join(''));
}

/** Prints the one JSON document of a command with `--json`. */
export function printJson({ stdout }: Pick<CliContext, 'stdout'>, document: unknown): void {
  stdout.write(`${printableJson(document, 2)}\n`);
}

/** Prints one event of a command with `--json` that reports as it goes on: one line of JSON each (NDJSON). */
export function printEvent({ stdout }: Pick<CliContext, 'stdout'>, event: { readonly event: string }): void {
  stdout.write(`${printableJson(event)}\n`);
}

/**
 * Prints an error: with `--json` as the document `{"error": {…}}` on stdout, in the place of the result; else for a person
 * on stderr, as what failed, which fields are wrong, and what to do.
 */
export function printError(context: OutputContext, error: AppError, json: boolean): void {
  if (json) {
    context.stdout.write(`${printableJson({ error: error.toEnvelope() })}\n`);
    return;
  }
  note(context, ...errorLines(colours(context.stderr, context.env), error));
}

/** An error as {@link printError} shows it to a person. */
export function errorLines(
  { red, dim, bold }: Colours,
  error: Pick<AppError, 'message' | 'fields' | 'hint'> & { readonly details?: AppError['details'] },
): readonly string[] {
  const [first = '', ...rest] = printableLines(error.message);
  // Many messages tell the first field, or all of them, already.
  const told = (text: string): boolean => error.message.includes(text);
  const fields = (error.fields ?? []).filter(({ field, message }) => !(told(field) && told(message)));
  return [
    `${red('error:')} ${first}`,
    ...rest.map((line) => `  ${line}`),
    ...fields.map(({ field, message }) => `  ${bold(printable(field))} ${printable(message)}`),
    ...(error.hint === undefined
      ? []
      : printableLines(error.hint).map((line) => `  ${dim('hint:')} ${line}`)),
    ...retryLines(dim, error.details?.retryAfterMs),
  ];
}

/** When to try again, where the error knows. */
function retryLines(dim: Colours['dim'], retryAfterMs: unknown): readonly string[] {
  if (typeof retryAfterMs !== 'number') return [];
  return [`  ${dim('retry:')} in ${durationText(retryAfterMs)}`];
}
