import { expect, test } from 'vitest';
import { isLoopback, parseEndpoint } from './endpoint.js';

test.each([
  ['127.0.0.1:7142', '127.0.0.1', 7142, true],
  ['127.8.0.1:1', '127.8.0.1', 1, true],
  ['[::1]:0', '::1', 0, true],
  ['LocalHost:65535', 'LocalHost', 65_535, true],
  ['0.0.0.0:1', '0.0.0.0', 1, false],
  ['[::]:1', '::', 1, false],
  ['[::ffff:10.0.0.1]:1', '::ffff:10.0.0.1', 1, false],
  ['127.0.0.1.example.org:1', '127.0.0.1.example.org', 1, false],
  ['localhost.example.org:1', 'localhost.example.org', 1, false],
])('%s is an endpoint', (text, host, port, local) => {
  const endpoint = parseEndpoint(text);
  expect(endpoint).toEqual({ host, port });
  expect(endpoint && isLoopback(endpoint)).toBe(local);
});

test.each([
  '',
  ':1',
  'a',
  'a:',
  'a:b',
  'a:65536',
  '::1:1',
  '[::1]',
  '[a]:1',
  '[127.0.0.1]:1',
  '1.2.3:4',
  'a b:1',
  '-a:1',
  'a..b:1',
  'a:1\n',
])('%j is no endpoint', (text) => {
  expect(parseEndpoint(text)).toBeUndefined();
});
