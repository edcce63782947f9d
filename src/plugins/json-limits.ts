import { pointerTo } from './json-pointer.js';
import { problemError } from './plugin-errors.js';

/** How much JSON is taken from a stranger. `depth` counts nested arrays and objects, `values` everything in them. */
export interface JsonLimits {
  readonly depth: number;
  readonly values: number;
}

/** Keys with which a document could reach an object's prototype. */
const forbidden = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Refuses parsed JSON that is nested too deeply, holds too many values, a number that JSON can't hold again (`1e999` is read as
 * infinity), or a key that could reach a prototype.
 * Walks without recursion, so its own stack is safe.
 *
 * @throws AppError `plugin.forbidden_key`, `plugin.too_deep`, `plugin.too_many_values`,
 *   `plugin.number_too_large`; the field is the JSON pointer
 */
export function checkJsonLimits(document: unknown, limits: JsonLimits): void {
  const open: { readonly value: object; readonly pointer: string; readonly depth: number }[] = [];
  let values = 0;
  const visit = (value: unknown, pointer: string, key: string | number | undefined, depth: number): void => {
    if (++values > limits.values) {
      throw problemError('too_many_values', {
        pointer: '',
        problem: `holds more than ${limits.values} values`,
        hint: 'Split it up, or leave out what the runtime need not know',
      });
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw problemError('number_too_large', {
        pointer: key === undefined ? pointer : pointerTo(pointer, key),
        problem: 'is a number that is too large to be kept exactly',
        hint: 'Write a number within ±1.797e308, or leave the bound out',
      });
    }
    if (typeof value !== 'object' || value === null) return;
    open.push({ value, pointer: key === undefined ? pointer : pointerTo(pointer, key), depth });
  };
  visit(document, '', undefined, 0);
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, pointer, depth } = item;
    if (depth >= limits.depth) {
      const problem = `is nested more than ${limits.depth} levels deep`;
      throw problemError('too_deep', { pointer, problem, hint: 'Move the inner parts of schemas to $defs' });
    }
    if (Array.isArray(value)) {
      for (const [at, below] of value.entries()) visit(below, pointer, at, depth + 1);
      continue;
    }
    for (const [key, below] of Object.entries(value)) {
      if (forbidden.has(key)) {
        throw problemError('forbidden_key', {
          pointer: pointerTo(pointer, key),
          problem: `uses the key '${key}', which is not allowed anywhere`,
          hint: 'Rename the key: it could reach the prototype of an object',
        });
      }
      visit(below, pointer, key, depth + 1);
    }
  }
}
