import { expect, it } from 'vitest';
import { SimulatedClock } from './simulated-clock.js';

it('runs timers in order at their own time, also those set on the way', () => {
  const clock = new SimulatedClock(1_000);
  const fired: string[] = [];
  clock.setTimeout(() => fired.push(`b@${clock.now()}`), 20);
  clock.setTimeout(() => {
    fired.push(`a@${clock.now()}`);
    clock.setTimeout(() => fired.push(`c@${clock.now()}`), 15);
    clock.clearTimeout(cleared);
  }, 10);
  const cleared = clock.setTimeout(() => fired.push('cleared'), 11);
  clock.setTimeout(() => fired.push('too late'), 31);
  clock.advance(30);
  expect(fired).toEqual(['a@1010', 'b@1020', 'c@1025']);
  expect([clock.now(), clock.monotonic(), clock.timers]).toEqual([1_030, 30, 1]);
});

it('never goes back, whoever moves it while it moves', () => {
  const clock = new SimulatedClock();
  const fired: number[] = [];
  clock.setTimeout(() => clock.advance(500), 10);
  clock.setTimeout(() => fired.push(clock.monotonic()), 50);
  clock.advance(100);
  expect(fired).toEqual([50]);
  expect(clock.monotonic()).toBe(510);
});

it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses to let %d ms pass', async (ms) => {
  const clock = new SimulatedClock();
  const refusal = expect.objectContaining({ code: 'kernel.bad_delay' });
  expect(() => clock.advance(ms)).toThrow(refusal);
  await expect(clock.advanceAsync(ms)).rejects.toEqual(refusal);
  expect(clock.monotonic()).toBe(0);
});

it('moves the wall clock without letting time pass', () => {
  const clock = new SimulatedClock();
  let fired = false;
  clock.setTimeout(() => {
    fired = true;
  }, 100);
  clock.setWallTime(5_000);
  expect([clock.now(), clock.monotonic(), fired]).toEqual([5_000, 0, false]);
  clock.advance(100);
  expect([clock.now(), fired]).toEqual([5_100, true]);
});

it('lets promises settle between timers, and runs until none is left', async () => {
  const clock = new SimulatedClock();
  const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, ms));
  const times: number[] = [];
  const loop = async (): Promise<void> => {
    for (let n = 0; n < 4; n += 1) {
      await wait(10);
      times.push(clock.monotonic());
    }
  };
  const done = loop();
  await clock.advanceAsync(25);
  expect(times).toEqual([10, 20]);
  expect(await clock.runUntilIdle()).toBe(15);
  await done;
  expect(times).toEqual([10, 20, 30, 40]);
});

it.each([-1, 2 ** 31, Number.NaN])('refuses a timer of %d ms, which Node would turn into 1 ms', (ms) => {
  expect(() => new SimulatedClock().setTimeout(() => {}, ms)).toThrow(
    expect.objectContaining({ code: 'kernel.bad_delay' }),
  );
});
