import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../../test/support/property-runs.js';
import { AppError } from '../../kernel/errors.js';
import { compileSchema } from '../compile-schema.js';
import type { JsonSchema } from '../descriptor.js';
import { compareSchemas } from './containment.js';

type Rules = { [keyword: string]: unknown };

const names = ['a', 'b', 'ab'] as const;
const name = fc.constantFrom(...names);
const text = fc.constantFrom('', 'a', 'b', 'ab', 'aba', '2020-01-01', '😀');
const number = fc.constantFrom(-2, -1, 0, 0.5, 1, 2, 2.5, 3, 4, 6, 1e22, 1.2e22);
const count = fc.integer({ min: 0, max: 3 });
const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'value' },
    { weight: 3, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie('any'), { maxLength: 3 }) },
    { weight: 3, arbitrary: fc.dictionary(name, tie('any'), { maxKeys: 3, noNullPrototype: true }) },
  ),
})).any;

/** Some of the rules, any of them left out. */
function some(rules: { readonly [keyword: string]: fc.Arbitrary<unknown> }): fc.Arbitrary<Rules> {
  return fc.record(rules, { requiredKeys: [] });
}

function typed(type: unknown, rules: fc.Arbitrary<Rules>): fc.Arbitrary<Rules> {
  return rules.map((some) => ({ type, ...some }));
}

/** Schemas of all keywords that plugins may use, over few names and values, so that what they take overlaps. */
const schemas = fc.letrec<{ any: JsonSchema }>((tie) => {
  const any = tie('any');
  const list = fc.array(any, { minLength: 1, maxLength: 2 });
  const map = fc.dictionary(name, any, { maxKeys: 2, noNullPrototype: true });
  const numbers = typed(
    'number',
    some({
      minimum: number,
      maximum: number,
      exclusiveMinimum: number,
      multipleOf: fc.constantFrom(0.5, 1, 2, 3, 6),
    }),
  );
  const objects = typed(
    'object',
    some({
      properties: map,
      required: fc.uniqueArray(name, { maxLength: 2 }),
      additionalProperties: fc.oneof(fc.constant(false), any),
      patternProperties: fc.dictionary(fc.constantFrom('^a', 'b$'), any, {
        maxKeys: 1,
        noNullPrototype: true,
      }),
      propertyNames: some({ maxLength: count, enum: fc.constant(['a', 'ab']) }).map((rules) => ({
        type: 'string',
        ...rules,
      })),
      minProperties: count,
      maxProperties: count,
      dependentRequired: fc.constant({ a: ['b'] }),
      dependentSchemas: any.map((schema) => ({ a: schema })),
      unevaluatedProperties: fc.constant(false),
    }),
  );
  const arrays = typed(
    'array',
    some({
      items: fc.oneof(fc.constant(false), any),
      prefixItems: list,
      minItems: count,
      maxItems: count,
      uniqueItems: fc.boolean(),
      contains: any,
      minContains: fc.integer({ min: 0, max: 2 }),
      maxContains: fc.integer({ min: 1, max: 2 }),
    }),
  );
  return {
    any: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'schema', withCrossShrink: true },
      fc.constantFrom<Rules | boolean>(true, {}, { type: 'null' }, { type: ['string', 'null'] }, false),
      typed(
        'string',
        some({
          minLength: count,
          maxLength: count,
          pattern: fc.constantFrom('^a', 'b$'),
          format: fc.constantFrom('date', 'uri'),
        }),
      ),
      numbers,
      numbers.map((rules) => ({ ...rules, type: 'integer' })),
      fc.array(value, { minLength: 1, maxLength: 3 }).map((listed) => ({ enum: listed })),
      value.map((only) => ({ const: only })),
      objects,
      objects,
      arrays,
      list.map((allOf) => ({ allOf })),
      list.map((anyOf) => ({ anyOf })),
      list.map((oneOf) => ({ oneOf })),
      any.map((not) => ({ not })),
      fc.tuple(any, any, any).map(([condition, yes, no]) =>
        Object.fromEntries([
          ['if', condition],
          ['then', yes],
          ['else', no],
        ]),
      ),
      fc.tuple(objects, any).map(([rules, all]) => ({ ...rules, allOf: [all] })),
      fc.constantFrom({ $ref: '#/$defs/one' }, { $ref: '#/$defs/two' }),
    ) as fc.Arbitrary<JsonSchema>,
  };
}).any;

const documents = fc
  .tuple(schemas, schemas, schemas)
  .map(([root, one, two]): JsonSchema => ({ $defs: { one, two }, allOf: [root] }));

/** A change at one place, which is counted through the document. */
interface Mutation {
  readonly at: number;
  readonly how: 'drop' | 'replace' | 'more' | 'less' | 'wrap';
  readonly by: JsonSchema;
}

const mutations = fc.array(
  fc.record<Mutation>({
    at: fc.nat(200),
    how: fc.constantFrom('drop', 'replace', 'more', 'less', 'wrap'),
    by: schemas,
  }),
  { minLength: 0, maxLength: 2 },
);

function mutated(document: JsonSchema, { at, how, by }: Mutation): JsonSchema {
  const copy = structuredClone(document);
  const places: { readonly parent: Rules; readonly key: string }[] = [];
  const walk = (parent: unknown): void => {
    if (typeof parent !== 'object' || parent === null) return;
    for (const key of Object.keys(parent)) {
      places.push({ parent: parent as Rules, key });
      walk((parent as Rules)[key]);
    }
  };
  walk(copy);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return copy;
  const { parent, key } = place;
  const there = parent[key];
  if (typeof there === 'number' && how === 'more') parent[key] = there + 1;
  else if (typeof there === 'number') parent[key] = there - 1;
  else if (how === 'drop' && !Array.isArray(parent)) delete parent[key];
  else if (how === 'wrap') parent[key] = { anyOf: [there, by] };
  else parent[key] = by;
  return copy;
}

function compiled(schema: JsonSchema): ((value: unknown) => boolean) | undefined {
  try {
    const validate = compileSchema(schema);
    return (value) => validate(value) as boolean;
  } catch (thrown) {
    if (thrown instanceof AppError) return undefined;
    throw thrown;
  }
}

/** All values that a schema names. */
function literals(schema: unknown): readonly unknown[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const inside = Object.values(schema).flatMap(literals);
  if (!('const' in schema) && !('enum' in schema)) return inside;
  const { const: only, enum: listed } = schema as { const?: unknown; enum?: unknown };
  return [only, ...(Array.isArray(listed) ? listed : []), ...inside].filter((one) => one !== undefined);
}

const numRuns = propertyRuns(1_500);

it(
  'never calls a schema narrower or equal that takes what the one before refused',
  () => {
    const counted: Record<string, number> = {};
    let judged = 0;
    let tried = 0;
    fc.assert(
      fc.property(
        documents,
        mutations,
        fc.option(documents, { freq: 6, nil: undefined }),
        fc.array(value, { minLength: 80, maxLength: 80 }),
        (before, changes, other, values) => {
          const after = other ?? changes.reduce(mutated, before);
          const { verdict } = compareSchemas(before, after);
          counted[verdict] = (counted[verdict] ?? 0) + 1;
          if (verdict !== 'narrower' && verdict !== 'equal') return;
          const [was, is] = [compiled(before), compiled(after)];
          if (was === undefined || is === undefined) return;
          judged++;
          const all = [...values, ...literals(before), ...literals(after)];
          for (const one of all) {
            if (!is(one)) continue;
            tried++;
            expect(was(one), JSON.stringify(one)).toBe(true);
          }
          if (verdict === 'equal') for (const one of all) expect(is(one)).toBe(was(one));
        },
      ),
      { numRuns },
    );
    console.info(
      `${numRuns} pairs: ${JSON.stringify(counted)}; ${judged} narrower or equal ones held to ${tried} values`,
    );
    expect(counted.unknown ?? 0).toBeLessThan(numRuns / 3);
    expect(judged).toBeGreaterThan(numRuns / 20);
  },
  20_000 + numRuns * 20,
);
