import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../descriptor.js';
import { compareSchemas } from './containment.js';

const text = { type: 'string' };
const closed = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
  additionalProperties: false,
});

/** A condition; an object literal with `then` would read as a promise. */
const when = (condition: object, rule: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries([
    ['if', condition],
    ['then', rule],
  ]);

/** What is told, with places; verdict first. */
function told(before: JsonSchema, after: JsonSchema): readonly string[] {
  const { verdict, differences } = compareSchemas(before, after);
  return [verdict, ...differences.map(({ place, kind, sentence }) => `${kind} ${place}: ${sentence}`)];
}

describe('what is wider', () => {
  it.each<[string, JsonSchema, JsonSchema, string]>([
    [
      'a longer text',
      { ...text, maxLength: 100 },
      { ...text, maxLength: 2000 },
      ': maxLength raised from 100 to 2000',
    ],
    ['a shorter text', { ...text, minLength: 3 }, text, ': minLength 3 dropped'],
    ['a bound that is gone', { ...text, maxLength: 100 }, text, ': maxLength 100 dropped'],
    ['one more type', text, { type: ['string', 'null'] }, ': may also be null'],
    ['fractions', { type: 'integer' }, { type: 'number' }, ': may also be number with a fraction'],
    ['one more value', { enum: ['a', 'b'] }, { enum: ['b', 'c', 'a'] }, ': newly allows "c"'],
    ['any value', { enum: ['a'] }, text, ': is no longer limited to "a"'],
    ['another constant', { const: 1 }, { const: 2 }, ': newly allows 2'],
    ['no format', { ...text, format: 'uri' }, text, ': format "uri" dropped'],
    ['no pattern', { ...text, pattern: '^a' }, text, ': pattern "^a" dropped'],
    [
      'a smaller least number',
      { type: 'integer', minimum: 5 },
      { type: 'integer', minimum: 4 },
      ': minimum lowered from 5 to 4',
    ],
    [
      'an end that is part of it',
      { type: 'number', exclusiveMaximum: 5 },
      { type: 'number', maximum: 5 },
      ': exclusiveMaximum',
    ],
    ['a new property', closed({ a: text }), closed({ a: text, b: text }), 'b: is newly allowed'],
    [
      'any property',
      closed({ a: text }),
      { type: 'object', properties: { a: text } },
      '(other): is newly allowed',
    ],
    [
      'a property that may lack',
      closed({ a: text }, ['a']),
      closed({ a: text }),
      ': "a" is no longer required',
    ],
    [
      'one inside',
      closed({ a: { ...text, maxLength: 1 } }),
      closed({ a: { ...text, maxLength: 2 } }),
      'a: maxLength raised from 1 to 2',
    ],
    [
      'items',
      { type: 'array', items: { ...text, maxLength: 1 } },
      { type: 'array', items: text },
      '*: maxLength 1 dropped',
    ],
    [
      'more items',
      { type: 'array', maxItems: 1 },
      { type: 'array', maxItems: 2 },
      ': maxItems raised from 1 to 2',
    ],
    [
      'repeated items',
      { type: 'array', items: text, uniqueItems: true },
      { type: 'array', items: text },
      ': items may be repeated',
    ],
    ['one more alternative', { anyOf: [text] }, { anyOf: [text, { type: 'null' }] }, ': may also be null'],
    [
      'an alternative',
      { anyOf: [{ type: 'null' }, { ...text, maxLength: 1 }] },
      { anyOf: [{ type: 'null' }, { ...text, maxLength: 2 }] },
      ': maxLength raised from 1 to 2',
    ],
    [
      'a definition',
      { $ref: '#/$defs/a', $defs: { a: { ...text, maxLength: 1 } } },
      { $ref: '#/$defs/b', $defs: { b: text } },
      ': maxLength 1 dropped',
    ],
    ['everything', false, true, ': is newly allowed'],
  ])('%s', (_what, before, after, sentence) => {
    const [verdict, ...differences] = told(before, after);
    expect(['wider', 'incomparable']).toContain(verdict);
    expect(differences.join('\n')).toContain(`wider ${sentence}`);
    const back = compareSchemas(after, before);
    expect(back.differences.some(({ kind }) => kind === 'narrower')).toBe(true);
  });
});

describe('what is narrower', () => {
  const tree = (leaf: object): JsonSchema => ({
    $ref: '#/$defs/tree',
    $defs: { tree: closed({ leaf, branches: { type: 'array', items: { $ref: '#/$defs/tree' } } }) },
  });
  it.each<[string, JsonSchema, JsonSchema]>([
    ['a shorter text', { ...text, maxLength: 100 }, { ...text, maxLength: 99 }],
    ['a text that is listed', { ...text, maxLength: 3, minLength: 1 }, { enum: ['a', 'abc'] }],
    ['truth that is listed', { enum: [true, false] }, { type: 'boolean', enum: [true] }],
    [
      'a whole number',
      { type: 'number', minimum: 4, multipleOf: 3 },
      { type: 'integer', exclusiveMinimum: 4, maximum: 100, multipleOf: 6 },
    ],
    ['an object that is listed', closed({ a: { ...text, maxLength: 2 } }, ['a']), { const: { a: 'xy' } }],
    ['one alternative', { anyOf: [text, { type: 'null' }] }, text],
    [
      'alternatives by type',
      { anyOf: [text, { type: 'null' }, { type: 'number' }] },
      { type: ['string', 'null'] },
    ],
    ['no further properties', { type: 'object' }, closed({ a: text })],
    ['a property that is required', closed({ a: text }), closed({ a: text }, ['a'])],
    ['a tree', tree(text), tree({ ...text, maxLength: 5 })],
    ['more that is excluded', { not: { const: 1 } }, { not: { enum: [1, 2] } }],
    [
      'one of what excludes each other',
      { oneOf: [closed({ k: { const: 'a' } }, ['k']), closed({ k: { const: 'b' } }, ['k'])] },
      closed({ k: { const: 'b' } }, ['k']),
    ],
    [
      'patterns that are kept',
      { type: 'object', patternProperties: { '^x': text } },
      { type: 'object', patternProperties: { '^x': { ...text, maxLength: 1 } }, additionalProperties: false },
    ],
    ['one more rule of all', { allOf: [text] }, { allOf: [text, { maxLength: 3, type: 'string' }] }],
    [
      'a fixed number of items',
      { type: 'array', items: text, maxItems: 3 },
      { type: 'array', prefixItems: [text, { const: 'a' }], items: false, minItems: 2 },
    ],
  ])('%s', (_what, before, after) => {
    expect(compareSchemas(before, after).verdict).toBe('narrower');
  });
});

describe('what is the same', () => {
  it.each<[string, JsonSchema, JsonSchema]>([
    [
      'in another order, with other remarks',
      { type: ['string', 'null'], title: 'a' },
      { description: 'b', type: ['null', 'string'] },
    ],
    ['what a reference leads to', { $ref: '#/$defs/a', $defs: { a: text } }, text],
    ['what an anchor leads to', { $ref: '#a', $defs: { a: { ...text, $anchor: 'a' } } }, text],
    ['what a named schema leads to', { $ref: 'A', $defs: { A: { ...text, $id: 'A' } } }, text],
    ['nothing said', {}, true],
    ['a rule that nothing meets', { type: 'string', minimum: 3 }, { type: 'string' }],
    [
      'a whole number by another rule',
      { type: 'integer', exclusiveMinimum: 4 },
      { type: 'integer', minimum: 5 },
    ],
    [
      'rules that are not understood, in the same words',
      { ...when(text, { pattern: 'x' }), unevaluatedProperties: false },
      { ...when(text, { pattern: 'x' }), unevaluatedProperties: false },
    ],
    [
      'what leads back to itself',
      { type: 'array', items: { $ref: '#' } },
      { type: 'array', items: { type: 'array', items: { $ref: '#' } } },
    ],
  ])('%s', (_what, before, after) => {
    expect(told(before, after)).toEqual(['equal']);
  });
});

describe('what nobody can tell', () => {
  it.each<[string, JsonSchema, JsonSchema]>([
    ['another pattern', { ...text, pattern: '^a' }, { ...text, pattern: '^aa' }],
    ['another condition', when(text, { maxLength: 3 }), when({ ...text, minLength: 1 }, { maxLength: 3 })],
    ['a keyword that does not exist', { $dynamicRef: '#a' }, { $dynamicRef: '#b' }],
    ['a reference that leads out', { $ref: 'https://example.com/' }, text],
    ['a bound that is none', { ...text, maxLength: 'x' }, { ...text, maxLength: 'y' }],
    ['a reference to itself', { $ref: '#' }, text],
    ['multiples in floating point', { type: 'number', multipleOf: 0.1 }, { type: 'number', multipleOf: 0.2 }],
  ])('%s is not taken for narrower', (_what, before, after) => {
    expect(['unknown', 'wider', 'incomparable']).toContain(compareSchemas(before, after).verdict);
  });

  it('ends soon on schemas that multiply', () => {
    const bomb = (last: object): JsonSchema => {
      const $defs: Record<string, object> = { d0: last };
      for (let i = 1; i < 40; i++) {
        const ref = { $ref: `#/$defs/d${i - 1}` };
        $defs[`d${i}`] = { anyOf: [{ properties: { a: ref } }, { properties: { b: ref } }, ref] };
      }
      return { $ref: '#/$defs/d39', $defs };
    };
    const started = performance.now();
    expect(compareSchemas(bomb({ maxLength: 1 }), bomb({ maxLength: 2 })).verdict).not.toBe('narrower');
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

it('says where the rule stands and quotes at most a little', () => {
  const before = closed({ 'a/b': { enum: Array.from({ length: 100 }, (_, at) => `value ${at}`) } });
  const after = closed({ 'a/b': { type: 'string', pattern: 'x'.repeat(500) } });
  const { differences } = compareSchemas(before, after);
  expect(differences).toContainEqual({
    place: 'a/b',
    pointer: '/properties/a~1b',
    kind: 'wider',
    sentence: expect.stringMatching(/^is no longer limited to .* or 95 more$/),
  });
  for (const { sentence } of differences) expect(sentence.length).toBeLessThan(500);
});
