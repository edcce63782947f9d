import { expect, test } from 'vitest';
import { renewalTime, untilNextLook } from './validity.js';

test('a certificate is due when two thirds of its validity are over', () => {
  expect(renewalTime({ notBefore: 1_000, notAfter: 4_000 })).toBe(3_000);
});

test('the wall clock is looked at once a minute, however far away the time is, and soon when it has passed', () => {
  expect(untilNextLook(10_000_000, 0)).toBe(60_000);
  expect(untilNextLook(1_500, 1_000)).toBe(500);
  expect(untilNextLook(1_000, 5_000)).toBe(1);
});
