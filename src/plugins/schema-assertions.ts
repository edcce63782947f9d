import { fullFormats } from 'ajv-formats/dist/formats.js';
import type { AppError } from '../kernel/errors.js';
import { didYouMean } from '../kernel/nearest.js';
import { pointerTo } from './json-pointer.js';
import { linearPattern } from './linear-pattern.js';
import { problemError } from './plugin-errors.js';
import { schemaKeywords } from './schema-keywords.js';
import { schemaLimits } from './schema-limits.js';

const dialect = 'https://json-schema.org/draft/2020-12/schema';
const scalarTypes = new Set(['string', 'number', 'integer', 'boolean', 'null']);

/** The error for a keyword that plugins may not use. */
export function unknownKeyword(keyword: string, pointer: string): AppError {
  const data = keyword === '$data' ? 'Values of the input can not be used inside its schema' : undefined;
  const dynamic = keyword.startsWith('$dynamic') ? 'Use $ref and $defs' : undefined;
  return problemError('schema_invalid', {
    pointer,
    problem: `uses '${keyword}', which is not a keyword of JSON Schema that plugins may use`,
    hint:
      data ??
      dynamic ??
      didYouMean(keyword, schemaKeywords.keys()) ??
      'Take it out: a keyword that nobody checks promises what nobody keeps',
  });
}

/**
 * Checks the keywords of one subschema that have no subschema themselves.
 *
 * @throws AppError `plugin.schema_invalid`, `plugin.schema_pattern`, `plugin.schema_too_costly`
 */
export function checkAssertions(keywords: Readonly<Record<string, unknown>>, pointer: string): void {
  const { $schema, format, pattern, uniqueItems, maxItems, items } = keywords;
  if ($schema !== undefined && $schema !== dialect) {
    const problem = 'names another dialect than JSON Schema 2020-12';
    throw problemError('schema_invalid', {
      pointer: `${pointer}/$schema`,
      problem,
      hint: `Write "${dialect}"`,
    });
  }
  if (typeof format === 'string' && !Object.hasOwn(fullFormats, format)) {
    throw problemError('schema_invalid', {
      pointer: `${pointer}/format`,
      problem: `names the format '${format.slice(0, 40)}', which is not known`,
      hint: didYouMean(format, Object.keys(fullFormats)) ?? 'Use pattern instead',
    });
  }
  if (typeof pattern === 'string') checkPattern(pattern, `${pointer}/pattern`);
  const itemType = (items as { readonly type?: unknown } | undefined)?.type;
  const cheap = typeof itemType === 'string' && scalarTypes.has(itemType);
  if (
    uniqueItems === true &&
    !cheap &&
    !(typeof maxItems === 'number' && maxItems <= schemaLimits.uniqueItems)
  ) {
    throw problemError('schema_too_costly', {
      pointer: `${pointer}/uniqueItems`,
      problem: 'compares every item with every other, without a bound on their number',
      hint: `Add "maxItems" of at most ${schemaLimits.uniqueItems}, or give the items one scalar type`,
    });
  }
}

/** Checks the keys of `patternProperties`. */
export function checkPatterns(value: unknown, pointer: string): void {
  for (const pattern of Object.keys(value as object)) checkPattern(pattern, pointerTo(pointer, pattern));
}

function checkPattern(pattern: string, pointer: string): void {
  if (pattern.length > schemaLimits.patternLength) {
    const problem = `is a pattern of more than ${schemaLimits.patternLength} characters`;
    const hint = 'Check long texts in the handler';
    throw problemError('schema_pattern', { pointer, problem, hint });
  }
  try {
    linearPattern(pattern);
  } catch (cause) {
    throw problemError('schema_pattern', {
      pointer,
      problem: `is not a pattern that can be matched in linear time: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'Use RE2 syntax: no look-around and no back references',
      cause,
    });
  }
}
