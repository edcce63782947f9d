import { expect, it } from 'vitest';
import { rememberedValue } from './remembered-value.js';

function remembered(by: 'origin' | 'value', input: unknown, pointer = '/url') {
  return rememberedValue({ mode: 'local', remember: { pointer, by } }, input)?.value;
}

it.each([
  ['https://example.com/docs?page=1#top', 'https://example.com'],
  ['https://EXAMPLE.com:443/', 'https://example.com'],
  ['https://example.com:8443/', 'https://example.com:8443'],
  ['http://example.com/', 'http://example.com'],
  ['https://example.com./', 'https://example.com.'],
  ['https://www.example.com/', 'https://www.example.com'],
  ['https://bücher.example/', 'https://xn--bcher-kva.example'],
  ['https://example.com@evil.example/', 'https://evil.example'],
  ['https://example.com\\@evil.example/', 'https://example.com'],
])('%s has the origin %s', (url, origin) => {
  expect(remembered('origin', { url })).toBe(origin);
});

it.each(['blob:https://example.com/1', 'file:///etc/passwd', 'javascript:1', 'data:,x', '/a', '', 1, null])(
  '%j has no origin of the web, so nothing of it is remembered',
  (url) => {
    expect(remembered('origin', { url })).toBeUndefined();
  },
);

it('takes a whole value in the one form that does not depend on the order of its keys', () => {
  expect(remembered('value', { url: { b: 1, a: ['x'] } })).toBe('{"a":["x"],"b":1}');
  expect(remembered('value', { url: { a: ['x'], b: 1.0 } })).toBe('{"a":["x"],"b":1}');
  expect(remembered('value', { url: '1' })).not.toBe(remembered('value', { url: 1 }));
  expect(remembered('value', { url: null })).toBe('null');
});

it('follows the pointer by own keys only', () => {
  const input = { list: [{ 'a/b': 1 }], __proto__: { inherited: 1 } };
  expect(remembered('value', input, '/list/0/a~1b')).toBe('1');
  for (const pointer of ['/list/1', '/list/00', '/list/length', '/inherited', '/toString', '/list/0/a~1b/c'])
    expect(remembered('value', input, pointer)).toBeUndefined();
});

it('remembers nothing that is too long to be read, and nothing where the capability does not say what', () => {
  expect(remembered('value', { url: 'a'.repeat(1_022) })).toHaveLength(1_024);
  expect(remembered('value', { url: 'a'.repeat(1_023) })).toBeUndefined();
  expect(rememberedValue({ mode: 'local' }, { url: 'https://example.com' })).toBeUndefined();
});

it('remembers for an hour, unless the capability says for how long', () => {
  const remember = { pointer: '/url', by: 'origin' } as const;
  const input = { url: 'https://example.com' };
  expect(rememberedValue({ mode: 'local', remember }, input)?.mostMs).toBe(3_600_000);
  expect(rememberedValue({ mode: 'local', remember: { ...remember, for: '8h' } }, input)?.mostMs).toBe(
    8 * 3_600_000,
  );
});
