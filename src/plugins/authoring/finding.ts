import type { AppError } from '../../kernel/errors.js';

/** One thing that is wrong with a plugin (`error`: it would be refused), or better done otherwise (`warning`). Plain JSON. */
export interface Finding {
  readonly level: 'error' | 'warning';
  /** What rule it is about: the code of the error, or the name of the advice. */
  readonly rule: string;
  /** The file below the plugin's folder. */
  readonly file: string;
  /** JSON pointer in the file; '' is all of it. For source files: line and column. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
}

/** The findings of an error: one for each of its fields. The near match of one of them is in its message, and no hint for the others. */
export function findingsOf(error: AppError, file: string): readonly Finding[] {
  const about = { level: 'error', rule: error.code, file } as const;
  const fields = error.fields ?? [];
  const isTold = fields.some(({ message }) => error.hint !== undefined && message.includes(error.hint));
  const hint = error.hint === undefined || isTold ? {} : { hint: error.hint };
  if (fields.length === 0) return [{ ...about, pointer: '', message: error.message, ...hint }];
  return fields.map(({ field, message }) => ({ ...about, pointer: field, message, ...hint }));
}

/** A warning about one place in the manifest. */
export function advice(
  rule: string,
  pointer: string,
  message: string,
  { file = 'plugin.json', hint }: { readonly file?: string; readonly hint?: string } = {},
): Finding {
  return { level: 'warning', rule, file, pointer, message, ...(hint === undefined ? {} : { hint }) };
}
