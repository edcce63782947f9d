import { expect, test } from 'vitest';
import { duplicateKey } from './json-duplicates.js';

test.each([
  ['{}', undefined],
  ['{"a":1,"b":{"a":[{"a":1},{"a":2}]}}', undefined],
  ['["a","a",{"x":"a"}]', undefined],
  ['{"a":1,"a":2}', '/a'],
  ['{"a":{"b":"a","a":"b"},"b":1}', undefined],
  ['{"list":[{},[0,{"k":1,"k":1}]]}', '/list/1/1/k'],
  ['{"a\\"}":1,"x":"{\\"x\\":1,","x":2}', '/x'],
  ['{"a":1,"\\u0061":2}', '/a'],
  ['{"a/b":[],"a/b":[]}', '/a~1b'],
])('%s', (text, pointer) => {
  expect(duplicateKey(text)).toBe(pointer);
});
