import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from './secret.js';

test('a secret gives its value to reveal and to nothing else', () => {
  const secret = new Secret('hunter2');
  expect(secret.reveal()).toBe('hunter2');
  const leaks = [
    `${secret}`,
    String(secret),
    `key: ${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ nested: { secret } }, { depth: 9, showHidden: true }),
    JSON.stringify(Object.entries(secret)),
    new Error(`failed with ${secret}`).message,
    JSON.stringify(structuredClone({ ...secret })),
  ];
  for (const text of leaks) expect(text).not.toContain('hunter2');
  expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
});
