/** A place in a text, both from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

const space = /[ \t\n\r]*/y;
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const scalar = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![0-9A-Za-z_.])/y;

type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or end' | 'end';

/**
 * Where a text stops being JSON (RFC 8259). `JSON.parse` says so only for some mistakes. Undefined for valid JSON.
 *
 * @example jsonErrorPosition('{"a": x}') // { line: 1, column: 7 }
 */
export function jsonErrorPosition(source: string): TextPosition | undefined {
  const open: ('[' | '{')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(source)) return false;
    at = pattern.lastIndex;
    return true;
  };
  // Not one pattern: on a text of a megabyte its backtracking would run out of stack.
  const takeText = (): boolean => {
    if (source.charAt(at) !== '"') return false;
    at += 1;
    while (at < source.length && source.charAt(at) >= ' ') {
      if (source.charAt(at) === '"') {
        at += 1;
        return true;
      }
      if (source.charAt(at) !== '\\') at += 1;
      else if (!take(escaped)) return false;
    }
    return false;
  };
  const afterValue = (): Expected => (open.length === 0 ? 'end' : ', or end');
  for (;;) {
    take(space);
    const character = source.charAt(at);
    if (expected === 'end') return character === '' ? undefined : positionOf(source, at);
    if (expected === ', or end') {
      const inside = open.at(-1);
      if (character === ',') expected = inside === '[' ? 'value' : 'name';
      else if (character === (inside === '[' ? ']' : '}')) {
        open.pop();
        expected = afterValue();
      } else return positionOf(source, at);
      at += 1;
    } else if (expected === ':') {
      if (character !== ':') return positionOf(source, at);
      at += 1;
      expected = 'value';
    } else if (expected === 'name' || expected === 'name or }') {
      if (character === '}' && expected === 'name or }') {
        at += 1;
        open.pop();
        expected = afterValue();
      } else if (takeText()) expected = ':';
      else return positionOf(source, at);
    } else if (character === '{' || character === '[') {
      at += 1;
      open.push(character);
      expected = character === '{' ? 'name or }' : 'value or ]';
    } else if (character === ']' && expected === 'value or ]') {
      at += 1;
      open.pop();
      expected = afterValue();
    } else if (takeText() || take(scalar)) expected = afterValue();
    else return positionOf(source, at);
  }
}

function positionOf(source: string, offset: number): TextPosition {
  const before = source.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
