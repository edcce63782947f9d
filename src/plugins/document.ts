import type { AppError, FieldError } from '../kernel/errors.js';
import { compileSchema } from './compile-schema.js';
import { duplicateKey } from './json-duplicates.js';
import type { JsonLimits } from './json-limits.js';
import { pluginError, problemError } from './plugin-errors.js';
import { schemaLimits } from './schema-limits.js';

/** Caps on a manifest or a descriptor: room for its schemas at the depth at which they stand. */
export const documentLimits: JsonLimits = { depth: schemaLimits.depth + 8, values: 20_000 };

/**
 * Parses JSON text.
 *
 * @throws AppError `plugin.manifest_not_json` with line and column
 */
export function parseJson(text: string): unknown {
  if (text.startsWith('\uFEFF')) {
    const problem = 'begins with a byte order mark';
    const hint = 'Save it as UTF-8 without one';
    throw problemError('manifest_not_json', { pointer: '', problem, hint });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const offset = /position (\d+)/.exec(message)?.[1];
    const before = text.slice(0, offset === undefined ? text.length : Number(offset)).split('\n');
    throw problemError('manifest_not_json', {
      pointer: '',
      problem: `is not JSON: ${message}`,
      hint: `Look at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`,
      cause,
    });
  }
}

/**
 * Refuses a key that stands twice in one object of a JSON text: one reader takes the first, another the last.
 *
 * @throws AppError `plugin.duplicate_key`
 */
export function refuseDuplicates(text: string): void {
  const pointer = duplicateKey(text);
  if (pointer === undefined) return;
  const hint = 'Keep one of the two';
  throw problemError('duplicate_key', { pointer, problem: 'stands twice in the same object', hint });
}

/** Compiles a schema of our own: the JSON of a TypeBox schema, which reports all errors, since the size is bounded. */
export function compileShape(schema: object): ReturnType<typeof compileSchema> {
  return compileSchema(JSON.parse(JSON.stringify(schema)), { allErrors: true });
}

/** The error for a document that does not match its shape; the near match of a misspelt key becomes the hint. */
export function shapeError(fields: readonly FieldError[], hint: string): AppError {
  const question = fields
    .map((field) => /Did you mean .*\?$/.exec(field.message)?.[0])
    .find((text) => text !== undefined);
  return pluginError('manifest_invalid', fields[0]?.message ?? 'does not match its schema', {
    fields,
    hint: question ?? hint,
  });
}
