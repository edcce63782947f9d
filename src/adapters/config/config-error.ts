import { type AppError, errorTable } from '../../kernel/errors.js';

export const configError = errorTable('config', {
  invalid: { category: 'validation', retryable: false },
  unreadable: { category: 'precondition', retryable: false },
});

/** Where a value was written. */
export type Origin =
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string };

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  readonly origin: Origin;
  /** A JSON pointer into the configuration; '' is its root. */
  readonly pointer: string;
  /** What is wrong and what was expected, without the place. */
  readonly message: string;
  /** `Did you mean 'heartbeat'?` */
  readonly suggestion?: string;
}

const shown = 20;

/** All problems as one error, each with its place, in the order in which they are written. */
export function invalidConfig(problems: readonly ConfigProblem[]): AppError {
  const ordered = [...problems].sort(byPlace);
  const lines = ordered.slice(0, shown).map((problem) => `${place(problem.origin)}: ${sentence(problem)}`);
  const more = ordered.length > shown ? [`and ${ordered.length - shown} more`] : [];
  const count = ordered.length === 1 ? '1 problem' : `${ordered.length} problems`;
  return configError('invalid', [`The configuration has ${count}:`, ...lines, ...more].join('\n  '), {
    hint: 'Correct what is named above; docs/palyra.example.yaml lists every option with its default',
    fields: ordered.map((problem) => ({
      field: problem.pointer,
      message: `${place(problem.origin)}: ${sentence(problem)}`,
    })),
    details: { problems: ordered },
  });
}

/** A value as it is quoted in a message: short, on one line. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function sentence({ pointer, message, suggestion }: ConfigProblem): string {
  return (
    [pointer, message].filter((part) => part !== '').join(' ') +
    (suggestion === undefined ? '' : `. ${suggestion}`)
  );
}

function place(origin: Origin): string {
  return origin.kind === 'file' ? `${origin.file}:${origin.line}:${origin.column}` : origin.name;
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  if (a.origin.kind !== 'file' || b.origin.kind !== 'file') {
    return Number(a.origin.kind !== 'file') - Number(b.origin.kind !== 'file');
  }
  return a.origin.line - b.origin.line || a.origin.column - b.origin.column;
}
