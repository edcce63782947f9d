import { expect, test } from 'vitest';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { ChatterLimit } from './chatter-limit.js';

function limit() {
  const clock = new SimulatedClock();
  const told: [number, number][] = [];
  const chatter = new ChatterLimit(clock, (logs, progress) => told.push([logs, progress]));
  const many = (kind: 'logs' | 'progress', times: number, bytes = 50): number =>
    Array.from({ length: times }, () => chatter.admits(kind, bytes)).filter(Boolean).length;
  return { clock, chatter, told, many };
}

test('a burst passes, then so many a second, each kind for itself', () => {
  const { clock, many } = limit();
  expect(many('logs', 5_000)).toBe(1_000);
  expect(many('progress', 5_000)).toBe(2_000);
  clock.advance(1_000);
  expect(many('logs', 5_000)).toBe(200);
  expect(many('progress', 5_000)).toBe(1_000);
});

test('bytes are bounded for both together, and one frame can not be larger than progress may be', () => {
  const { clock, many } = limit();
  expect(many('progress', 1, 70_000)).toBe(0);
  expect(many('progress', 1_000, 64 * 1024)).toBe(128);
  expect(many('logs', 1, 1_000)).toBe(0);
  clock.advance(1_000);
  expect(many('progress', 1_000, 64 * 1024)).toBe(32);
});

test('what is left out is counted, and told at most once a second', () => {
  const { clock, chatter, told, many } = limit();
  many('logs', 1_500);
  expect(told).toEqual([[1, 0]]);
  clock.advance(999);
  many('logs', 1);
  expect(told).toHaveLength(1);
  clock.advance(1);
  many('logs', 1);
  expect(told).toEqual([
    [1, 0],
    [499, 0],
  ]);
  chatter.note(3, 4);
  expect(told).toHaveLength(2);
  chatter.flush();
  expect(told.at(-1)).toEqual([3, 4]);
  chatter.flush();
  expect(told).toHaveLength(3);
});
