import { pointerTo } from './json-pointer.js';

/** Deeper than this, a value is not taken for JSON. */
const deepest = 128;

/**
 * The most bytes that a value can take as JSON text, without writing it; -1 when it is not JSON: what is left out or
 * changed on the way (functions, NaN, Date, Map, cycles). An undefined property counts as absent. Allocates nothing
 * for scalars and arrays, so it can stand on the way of every result.
 */
export function jsonSizeBound(value: unknown, depth = 0): number {
  switch (typeof value) {
    case 'string':
      // An escaped UTF-16 unit, \u0000, is the longest.
      return value.length * 6 + 2;
    case 'number':
      return Number.isFinite(value) ? 25 : -1;
    case 'boolean':
      return 5;
    case 'object':
      return value === null ? 4 : containerBound(value, depth);
    default:
      return -1;
  }
}

function containerBound(value: object, depth: number): number {
  if (depth >= deepest) return -1;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) {
      const size = jsonSizeBound(item, depth + 1);
      if (size < 0) return -1;
      bytes += size + 1;
    }
    return bytes;
  }
  if (!isPlain(value)) return -1;
  for (const key of Object.keys(value)) {
    const item = (value as Readonly<Record<string, unknown>>)[key];
    if (item === undefined) continue;
    const size = jsonSizeBound(item, depth + 1);
    if (size < 0) return -1;
    bytes += key.length * 6 + 4 + size;
  }
  return bytes;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in value);
}

/** The bytes of a JSON value's text, exactly. */
export function jsonSize(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Where a value stops being JSON, for the error message; undefined when it is JSON. */
export function findNonJson(value: unknown, pointer = '', depth = 0): string | undefined {
  if (jsonSizeBound(value, depth) >= 0) return undefined;
  if (typeof value !== 'object' || value === null || depth >= deepest) return pointer;
  if (!Array.isArray(value) && !isPlain(value)) return pointer;
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined && !Array.isArray(value)) continue;
    const found = findNonJson(item, pointerTo(pointer, key), depth + 1);
    if (found !== undefined) return found;
  }
  return pointer;
}
