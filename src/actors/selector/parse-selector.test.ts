import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../../test/support/property-runs.js';
import { AppError } from '../../kernel/errors.js';
import { deepestSelector, longestSelector, parseSelector } from './parse-selector.js';
import { type Selector, selectorKeys, selectorText } from './selector.js';

/** The error of a text that is no selector. */
function faultOf(text: string): AppError {
  try {
    parseSelector(text);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'selector.invalid') return thrown;
    throw thrown;
  }
  throw new Error(`${text} was read`);
}

const role: Selector = { kind: 'label', name: 'role', value: 'edge' };
const linux: Selector = { kind: 'key', key: 'platform', pattern: 'linux' };

it('binds not before and before or, and parentheses before all', () => {
  expect(parseSelector('role=edge')).toEqual(role);
  expect(parseSelector(' not role=edge and platform:linux or build-7 ')).toEqual({
    kind: 'or',
    operands: [
      { kind: 'and', operands: [{ kind: 'not', operand: role }, linux] },
      { kind: 'node', text: 'build-7' },
    ],
  });
  expect(parseSelector('not(role=edge and(platform:linux or build-7))')).toEqual({
    kind: 'not',
    operand: {
      kind: 'and',
      operands: [role, { kind: 'or', operands: [linux, { kind: 'node', text: 'build-7' }] }],
    },
  });
});

it('takes values in quotes, words among them', () => {
  expect(parseSelector('site="Berlin \\"Mitte\\" \\\\"')).toEqual({
    kind: 'label',
    name: 'site',
    value: 'Berlin "Mitte" \\',
  });
  expect(parseSelector('"and"')).toEqual({ kind: 'node', text: 'and' });
  expect(parseSelector('name:"not"')).toEqual({ kind: 'key', key: 'name', pattern: 'not' });
  expect(parseSelector('url=http://a:1/?b=c')).toEqual({
    kind: 'label',
    name: 'url',
    value: 'http://a:1/?b=c',
  });
});

it.each([
  ['', 1, 'label=value, key:value or a node'],
  ['role=edge and', 14, 'label=value, key:value or a node'],
  ['role=edge platform:linux', 11, 'and, or or the end'],
  ['(role=edge', 11, 'and, or or )'],
  ['role=edge)', 10, 'and, or or the end'],
  ['role=edge and or x', 15, 'label=value, key:value or a node'],
  ['role=', 6, 'a value after role= (or "" for an empty one)'],
  ['platform:', 10, 'a value after platform:'],
  ['Role=edge', 1, 'the name of a label before =: lower-case letters, digits and . _ / -'],
  ['platfrom:linux', 1, 'one of capability:, platform:, arch:, name: or label=value'],
  ['site="Berlin', 13, 'a closing quote'],
  ['site="Berlin"Mitte', 14, 'a space'],
  ['si"te"', 3, 'a space'],
  ['""', 1, 'the name or id of a node'],
])('says of %j where it is wrong and what was expected there', (text, position, expected) => {
  expect(faultOf(text).details).toEqual({ position, expected });
});

it('asks for what may have been meant', () => {
  expect(faultOf('platfrom:linux').hint).toBe("Did you mean 'platform'?");
  expect(faultOf('role=edge adn platform:linux').hint).toBe("Did you mean 'and'?");
});

it('refuses what is too long or too deep, and takes what is just short of it', () => {
  expect(parseSelector(`${'not '.repeat(deepestSelector)}a`).kind).toBe('not');
  expect(faultOf(`${'not '.repeat(deepestSelector + 1)}a`).details?.position).toBe(4 * deepestSelector + 1);
  expect(faultOf('('.repeat(longestSelector)).message).toContain('in each other');
  expect(parseSelector('a'.repeat(longestSelector)).kind).toBe('node');
  expect(faultOf('a'.repeat(longestSelector + 1)).message).toContain('more than');
});

const value = fc.oneof(
  fc.constantFrom('and', 'or', 'not', 'x=y', 'a:b', '"', '\\', '*', 'two words', '(a)'),
  fc.string({ maxLength: 12 }),
);
const { tree } = fc.letrec<{ tree: Selector }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.record({ kind: fc.constant('label'), name: fc.constantFrom('role', 'a/b', '0'), value }),
    fc.record({ kind: fc.constant('key'), key: fc.constantFrom(...selectorKeys), pattern: value }),
    fc.record({ kind: fc.constant('node'), text: value.filter((text) => text !== '') }),
    fc.record({ kind: fc.constant('not'), operand: tie('tree') }),
    fc.record({
      kind: fc.constantFrom('and', 'or'),
      operands: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
    }),
  ) as fc.Arbitrary<Selector>,
}));

it('reads what it writes as the same selector', () => {
  fc.assert(
    fc.property(tree, (selector) => {
      const text = selectorText(selector);
      fc.pre(text.length <= longestSelector);
      expect(parseSelector(text)).toEqual(selector);
    }),
    { numRuns: propertyRuns(500) },
  );
});

const piece = fc.constantFrom(
  'and',
  ' ',
  'not',
  'or ',
  '(',
  ')',
  '"',
  '\\',
  '=',
  ':',
  'a',
  'name:',
  'role=',
  '\n',
);
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
);

it('reads any text, or says where it is wrong, and throws nothing else', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      let selector: Selector;
      try {
        selector = parseSelector(text);
      } catch {
        const { position } = faultOf(text).details as { position: number };
        expect(position).toBeGreaterThanOrEqual(1);
        expect(position).toBeLessThanOrEqual(text.length + 1);
        return;
      }
      expect(parseSelector(selectorText(selector))).toEqual(selector);
    }),
    { numRuns: propertyRuns(1_000) },
  );
});

it('looks at each character a bounded number of times', () => {
  const lookups = (text: string): number => {
    let count = 0;
    const counted = Object.create(String.prototype, {
      length: { get: () => text.length },
      charAt: {
        value: (at: number) => {
          count += 1;
          return text.charAt(at);
        },
      },
      slice: { value: (from: number, to?: number) => text.slice(from, to) },
    }) as string;
    parseSelector(counted);
    return count;
  };
  const short = lookups('(not role="a b" and name:x) or '.repeat(10).concat('y'));
  const long = lookups('(not role="a b" and name:x) or '.repeat(100).concat('y'));
  expect(long).toBeLessThan(short * 11);
});
