import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonErrorPosition } from './json-position.js';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('jsonErrorPosition', () => {
  it.each([
    ['', 1, 1],
    ['{"a": x}', 1, 7],
    ["{'a': 1}", 1, 2],
    ['{"a": 1,}', 1, 9],
    ['[1,\n 2,\n 03]', 3, 2],
    ['[1] 2', 1, 5],
    ['{"a" 1}', 1, 6],
    ['"a\nb"', 1, 3],
    ['"\\x"', 1, 2],
    ['nulls', 1, 1],
    ['{"a": [1}', 1, 9],
  ])('points into %j', (text, line, column) => {
    expect(jsonErrorPosition(text)).toEqual({ line, column });
  });

  it('agrees with JSON.parse on what is JSON', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '1',
      '-0.5e3',
      'true',
      'null',
      ' ',
      '\n',
      '0',
      '.',
      '\\',
      '"',
    );
    const noise = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''));
    const damaged = fc
      .tuple(fc.json(), fc.nat(), pieces)
      .map(
        ([text, at, piece]) =>
          text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1)),
      );
    fc.assert(
      fc.property(fc.oneof(noise, damaged, fc.json()), (text) => {
        expect(jsonErrorPosition(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads a text of megabytes and nesting of any depth', () => {
    expect(jsonErrorPosition(`"${'\\n'.repeat(1_000_000)}"`)).toBeUndefined();
    expect(jsonErrorPosition('['.repeat(100_000))).toEqual({ line: 1, column: 100_001 });
  });
});
