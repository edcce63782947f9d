import { expect, it } from 'vitest';
import { Deadlines } from '../kernel/deadlines.js';
import { SimulatedClock } from '../kernel/simulated-clock.js';
import { ClockWatch } from './clock-watch.js';

const hour = 3_600_000;

function watching() {
  const clock = new SimulatedClock();
  const warned: { readonly fields: object; readonly message: string }[] = [];
  const log = {
    debug() {},
    info() {},
    error() {},
    warn: (fields: object, message: string) => void warned.push({ fields, message }),
  };
  const deadlines = new Deadlines(clock, log);
  const watch = new ClockWatch({ clock, deadlines, log });
  watch.start();
  return { clock, warned, watch };
}

it('warns within a second of a step of the wall clock: how far, in which direction, and what to do', () => {
  const { clock, warned, watch } = watching();
  clock.advance(24 * hour);
  expect(warned).toEqual([]);
  expect(watch.last).toBeUndefined();

  clock.setWallTime(clock.now() + 2 * hour);
  clock.advance(1_000);
  expect(warned).toMatchObject([
    { fields: { byMs: 2 * hour }, message: 'The wall clock was set 2h forwards' },
  ]);
  expect(warned[0]?.fields).toMatchObject({ hint: expect.stringContaining('this machine slept') });
  expect(watch.last).toEqual({ at: clock.now(), byMs: 2 * hour });

  clock.setWallTime(clock.now() - 90_000);
  clock.advance(1_000);
  expect(warned.slice(1)).toMatchObject([
    {
      fields: { byMs: -90_000, now: new Date(clock.now()).toISOString() },
      message: 'The wall clock was set 90s backwards',
    },
  ]);
  expect(watch.last).toEqual({ at: clock.now(), byMs: -90_000 });
});

it('says each step once, and several small ones when they are more than a correction together', () => {
  const { clock, warned } = watching();
  for (let step = 0; step < 3; step++) {
    clock.setWallTime(clock.now() - 2_000);
    clock.advance(60_000);
  }
  expect(warned).toMatchObject([{ message: 'The wall clock was set 6s backwards' }]);
  clock.advance(hour);
  expect(warned).toHaveLength(1);
});

it('looks no more once it is stopped', () => {
  const { clock, warned, watch } = watching();
  watch.stop();
  expect(clock.timers).toBe(0);
  clock.setWallTime(0);
  clock.advance(hour);
  expect(warned).toEqual([]);
});
