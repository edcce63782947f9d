import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { ValidatorCache } from './validators.js';

const url = {
  type: 'object',
  required: ['url'],
  properties: { url: { type: 'string', maxLength: 10 }, mode: { enum: ['fast', 'slow'] } },
  additionalProperties: false,
} as const;

test('a valid value costs no list: the empty one is always the same', () => {
  const validator = new ValidatorCache().acquire(url);
  expect(validator.check({ url: 'x' })).toEqual([]);
  expect(validator.check({ url: 'x' })).toBe(validator.check({ url: 'y' }));
});

test.each<[unknown, string, string]>([
  [{}, '/url', 'is required'],
  [{ url: 1 }, '/url', 'must be a string'],
  [{ url: 'x'.repeat(11) }, '/url', 'must NOT have more than 10 characters'],
  [{ url: 'x', mdoe: 'fast' }, '/mdoe', "is not a known property. Did you mean 'mode'?"],
  [{ url: 'x', 'a/b': 1 }, '/a~1b', 'is not a known property'],
  [{ url: 'x', mode: 'fats' }, '/mode', 'must be "fast" or "slow". Did you mean \'fast\'?'],
  ['text', '', 'must be an object'],
])('%j is refused at %s', (value, field, message) => {
  expect(new ValidatorCache().acquire(url).check(value)).toEqual([{ field, message }]);
});

test('alternatives that are constants read as a list of them', () => {
  const validator = new ValidatorCache().acquire({ anyOf: [{ const: 'a' }, { const: 'b' }] });
  expect(validator.check('c')).toEqual([{ field: '', message: 'must be "a" or "b"' }]);
});

test('equal schemas share one validator, whatever the order of their keys, until the last holder lets go', () => {
  const cache = new ValidatorCache();
  const first = cache.acquire({ type: 'string', maxLength: 3 });
  const second = cache.acquire({ maxLength: 3, type: 'string' });
  expect(second).toBe(first);
  cache.release(first);
  expect(cache.size).toBe(1);
  cache.release(second);
  expect(cache.size).toBe(0);
  expect(cache.acquire({ type: 'string', maxLength: 3 })).not.toBe(first);
});

test('a refused schema leaves nothing behind', () => {
  const cache = new ValidatorCache();
  expect(() => cache.acquire({ $ref: 'https://example.com/' })).toThrowError(
    expect.objectContaining({
      code: 'plugin.schema_reference',
      fields: [expect.objectContaining({ field: '/$ref' })],
    }),
  );
  expect(cache.size).toBe(0);
});

test('released validators and the values that they refused can be collected', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const cache = new ValidatorCache();
  const kept = cache.acquire({ type: 'number' });
  const released = Array.from({ length: 20 }, (_, i) => {
    const validator = cache.acquire({ type: 'string', pattern: `^${i}a+$`, maxLength: 1_000 + i });
    cache.release(validator);
    return new WeakRef(validator.check);
  });
  const value = (() => {
    const refused = { big: 'x'.repeat(1_000) };
    kept.check(refused);
    return new WeakRef(refused);
  })();
  await expect
    .poll(() => {
      collect();
      return [released.filter((ref) => ref.deref() !== undefined).length, value.deref() === undefined];
    })
    .toEqual([0, true]);
});

test('an exponential pattern is matched in linear time', () => {
  const validator = new ValidatorCache().acquire({ type: 'string', pattern: '^(([a-z])+.)+[A-Z]([a-z])+$' });
  const started = performance.now();
  expect(validator.check('a'.repeat(50_000))).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('a hostile pattern is not run against the names of properties while compiling', () => {
  const name = 'a'.repeat(40);
  const schema = { type: 'object', properties: { [`${name}!`]: {} }, patternProperties: { '^(a+)+$': {} } };
  const started = performance.now();
  expect(new ValidatorCache().acquire(schema).check({})).toEqual([]);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('patterns anchor as in JSON Schema, and two of them are told apart', () => {
  const validator = new ValidatorCache().acquire({
    type: 'object',
    properties: { a: { type: 'string', pattern: '^a$' }, b: { type: 'string', pattern: 'b' } },
  });
  expect(validator.check({ a: 'a', b: 'xbx' })).toEqual([]);
  expect(validator.check({ a: 'a\n' })).toHaveLength(1);
  expect(validator.check({ b: 'a' })).toHaveLength(1);
});

test('a value nested deeper than the stack is refused, not a crash', () => {
  const validator = new ValidatorCache().acquire({ type: 'array', items: { $ref: '#' } });
  let value: unknown[] = [];
  for (let i = 0; i < 200_000; i++) value = [value];
  expect(validator.check(value)).toEqual([{ field: '', message: 'is nested too deeply to be checked' }]);
});

test.each(['valueOf', 'toString'])(
  "a value with a key '%s' is refused where values are compared, not a crash",
  (key) => {
    const validator = new ValidatorCache().acquire({ enum: [{ a: 1 }] });
    expect(validator.check({ [key]: 1 })).toEqual([{ field: '', message: expect.stringContaining(key) }]);
  },
);
