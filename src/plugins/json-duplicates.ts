import { pointerTo } from './json-pointer.js';

/** An object or array that is not closed yet. */
interface Open {
  /** The keys of an object so far; undefined for an array. */
  readonly keys: Set<string> | undefined;
  readonly pointer: string;
  /** The key or index of the value that is read. */
  at: string | number;
}

/** A string, or one of the characters that give JSON its shape. */
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * The JSON pointer of a key that stands twice in one object of a JSON text; undefined when none does. `JSON.parse` keeps the
 * last one and says nothing.
 *
 * @param text valid JSON
 * @example duplicateKey('{"a": {"b": 1, "b": 2}}') // '/a/b'
 */
export function duplicateKey(text: string): string | undefined {
  const open: Open[] = [];
  let isKey = false;
  for (const [word] of text.matchAll(token)) {
    const inner = open.at(-1);
    if (word === '{' || word === '[') {
      const pointer = inner === undefined ? '' : pointerTo(inner.pointer, inner.at);
      open.push({ keys: word === '{' ? new Set() : undefined, pointer, at: 0 });
      isKey = word === '{';
    } else if (word === '}' || word === ']') {
      open.pop();
      isKey = false;
    } else if (word === ',') {
      isKey = inner?.keys !== undefined;
      if (typeof inner?.at === 'number') inner.at += 1;
    } else if (word === ':') {
      isKey = false;
    } else if (isKey && inner?.keys !== undefined) {
      const key = JSON.parse(word) as string;
      if (inner.keys.has(key)) return pointerTo(inner.pointer, key);
      inner.keys.add(key);
      inner.at = key;
    }
  }
  return undefined;
}
