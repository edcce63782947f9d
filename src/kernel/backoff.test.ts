import { expect, it } from 'vitest';
import { jitteredBackoff } from './backoff.js';
import { RestartIntensity } from './restart-intensity.js';

it('waits first, base, then doubles to the maximum, and begins again after a reset', () => {
  const backoff = jitteredBackoff({ firstMs: 0, baseMs: 200, maxMs: 1_000, random: () => 1 });
  expect(Array.from({ length: 6 }, () => backoff.next())).toEqual([0, 200, 400, 800, 1_000, 1_000]);
  expect(backoff.attempts).toBe(6);
  backoff.reset();
  expect([backoff.next(), backoff.next()]).toEqual([0, 200]);
});

it('stays finite after a very long outage and never falls below half', () => {
  const backoff = jitteredBackoff({ firstMs: 500, baseMs: 1_000, maxMs: 30_000, random: () => 0 });
  expect(backoff.next()).toBe(250);
  for (let n = 0; n < 5_000; n += 1) backoff.next();
  expect(backoff.next()).toBe(15_000);
});

it('counts restarts over a sliding window', () => {
  const intensity = new RestartIntensity(2, 1_000);
  expect([0, 500, 1_000, 1_400].map((now) => intensity.allows(now))).toEqual([true, true, true, false]);
  expect(intensity.allows(3_000)).toBe(true);
});
