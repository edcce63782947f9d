import { expect, it } from 'vitest';
import { EndPace } from './pace.js';

it('expects the next end after the mean time between ends, the latest counting most', () => {
  const pace = new EndPace();
  expect(pace.nextIn(0)).toBe(5_000);
  for (let at = 0; at <= 80_000; at += 2_000) pace.ended(at);
  expect(pace.nextIn(80_000)).toBe(2_000);
  for (let at = 80_100; at <= 90_000; at += 100) pace.ended(at);
  expect(pace.nextIn(90_000)).toBeLessThan(110);
});

it('expects a node that has come to a halt to go on like that, for a minute at most', () => {
  const pace = new EndPace();
  pace.ended(0);
  expect(pace.nextIn(0)).toBe(100);
  pace.ended(10);
  expect(pace.nextIn(7_010)).toBe(7_000);
  expect(pace.nextIn(3_600_000)).toBe(60_000);
});
