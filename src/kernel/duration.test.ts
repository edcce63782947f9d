import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.js';

test.each([
  ['0s', 0],
  ['500ms', 500],
  ['30s', 30_000],
  ['10m', 600_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '30', 's', '-1s', '1.5h', '1h30m', ' 1s', '1 s', '1S', '999999999999d', '1e3s'])(
  '%j is refused',
  (text) => {
    expect(() => parseDuration(text, '--ttl')).toThrowError(
      expect.objectContaining({
        code: 'duration.invalid',
        fields: [{ field: '--ttl', message: 'is not a duration' }],
      }),
    );
  },
);

test('every whole number of milliseconds survives the way out and back', () => {
  fc.assert(fc.property(fc.nat({ max: 999_999_999_999 }), (ms) => parseDuration(formatDuration(ms)) === ms));
  expect(formatDuration(90_000)).toBe('90s');
  expect(formatDuration(86_400_000)).toBe('1d');
  expect(() => formatDuration(0.5)).toThrowError(expect.objectContaining({ code: 'duration.invalid' }));
});
