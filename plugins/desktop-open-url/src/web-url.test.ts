import { expect, test } from 'vitest';
import { linearPattern } from '../../../src/plugins/linear-pattern.js';
import { webUrl, webUrlPattern } from './web-url.js';

const accepted = linearPattern(webUrlPattern);

test.each([
  'https://example.com',
  'http://example.com:8080/a?b=c#d',
  'https://[::1]/',
  'https://bücher.example/',
])('%s is accepted', (url) => {
  expect(accepted.test(url)).toBe(true);
  expect(webUrl(url)).toBe(new URL(url).href);
});

test.each([
  'file:///etc/passwd',
  'javascript:alert(1)',
  'ftp://example.com/',
  'https://user:pass@example.com/',
  'https://user@example.com/',
  'https://good.example\\@evil.example/',
  'https:example.com',
  'https://',
  ' https://example.com',
  'https://example.com/ --flag',
  'https://example.com\nhttps://evil.example',
])('%j does not match the input schema', (url) => {
  expect(accepted.test(url)).toBe(false);
});

test.each(['file:///etc/passwd', 'https://user@example.com/', 'https://'])(
  'the handler refuses %j by itself',
  (url) => {
    expect(() => webUrl(url)).toThrowError(expect.objectContaining({ code: 'invalid_url' }));
  },
);
