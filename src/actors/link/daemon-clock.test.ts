import { expect, it } from 'vitest';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { DaemonClock } from './daemon-clock.js';

it('takes the offset from the fastest frame and counts what others took longer as their age', () => {
  const clock = new SimulatedClock(1_000_000);
  const daemon = new DaemonClock(clock);
  expect(daemon.now()).toBe(1_000_000);
  // The daemon is 10 minutes behind; this frame took a little.
  expect(daemon.observe(1_000_000 - 600_000 - 40)).toBe(0);
  clock.advance(1_000);
  expect(daemon.observe(1_001_000 - 600_000 - 10)).toBe(0);
  expect(daemon.now()).toBe(1_001_000 - 600_010);
  clock.advance(1_000);
  // One that waited half a second in a buffer.
  expect(daemon.observe(1_002_000 - 600_000 - 510)).toBe(500);
});

it('notices that the wall clock was set, or that the machine slept, but not a mere correction', () => {
  const clock = new SimulatedClock(1_000_000);
  const daemon = new DaemonClock(clock);
  clock.advance(86_400_000);
  expect(daemon.jumped).toBe(false);
  clock.setWallTime(clock.now() + 4_000);
  expect(daemon.jumped).toBe(false);
  clock.setWallTime(clock.now() + 2_000);
  expect(daemon.jumped).toBe(true);
  clock.setWallTime(clock.now() - 3_600_000);
  expect(daemon.jumped).toBe(true);
});
