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
 * Refuses parsed JSON that is nested too deeply, holds too many values or has a key that could reach a prototype.
 * Walks without recursion, so its own stack is safe.
 *
 * @throws AppError `plugin.forbidden_key`, `plugin.too_deep`, `plugin.too_many_values`; the field is the JSON pointer
 */
export function checkJsonLimits(document: unknown, limits: JsonLimits): void {
  const open: { readonly value: unknown; readonly pointer: string; readonly depth: number }[] = [
    { value: document, pointer: '', depth: 0 },
  ];
  let values = 0;
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, pointer, depth } = item;
    if (++values > limits.values) {
      throw problemError('too_many_values', {
        pointer: '',
        problem: `holds more than ${limits.values} values`,
      });
    }
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= limits.depth) {
      throw problemError('too_deep', { pointer, problem: `is nested more than ${limits.depth} levels deep` });
    }
    for (const key of Object.keys(value)) {
      if (forbidden.has(key)) {
        throw problemError('forbidden_key', {
          pointer: pointerTo(pointer, key),
          problem: `uses the key '${key}', which is not allowed anywhere`,
          hint: 'Rename the key: it could reach the prototype of an object',
        });
      }
      const below = (value as Readonly<Record<string, unknown>>)[key];
      open.push({
        value: below,
        pointer: pointerTo(pointer, Array.isArray(value) ? Number(key) : key),
        depth: depth + 1,
      });
    }
  }
}
