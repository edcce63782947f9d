import { expect, it } from 'vitest';
import type { NodeProgress } from './frames.js';
import { ProgressBuffers } from './progress-buffers.js';

const value = (dispatchId: string, sequence: number, bytes = 10): NodeProgress => ({
  dispatchId,
  sequence,
  value: new Uint8Array(bytes),
});

const numbers = (values: readonly NodeProgress[]): readonly number[] =>
  values.map(({ sequence }) => sequence);

it('keeps the latest of each, by count and by bytes', () => {
  const buffers = new ProgressBuffers({ count: 3, bytes: 100 }, { count: 100, bytes: 1_000 });
  for (let at = 1; at <= 5; at++) buffers.add(value('a', at));
  expect(numbers(buffers.of('a'))).toEqual([3, 4, 5]);
  buffers.add(value('a', 6, 90));
  expect(numbers(buffers.of('a'))).toEqual([5, 6]);
  expect([buffers.count, buffers.bytes]).toEqual([2, 100]);
});

it('takes the room for a flood from the one that floods, and for a newcomer from the first', () => {
  const buffers = new ProgressBuffers({ count: 50, bytes: 1_000 }, { count: 4, bytes: 1_000 });
  buffers.add(value('quiet', 1));
  for (let at = 1; at <= 100; at++) buffers.add(value('loud', at));
  expect([numbers(buffers.of('quiet')), numbers(buffers.of('loud'))]).toEqual([[1], [98, 99, 100]]);
  buffers.add(value('new', 1));
  expect([numbers(buffers.of('quiet')), numbers(buffers.of('new'))]).toEqual([[], [1]]);
  expect(buffers.count).toBe(4);
});

it('gives what it holds in turn, and counts what it gave', () => {
  const buffers = new ProgressBuffers({ count: 9, bytes: 100 }, { count: 9, bytes: 1_000 });
  for (const at of [1, 2, 3]) buffers.add(value('a', at));
  for (const at of [1, 2]) buffers.add(value('b', at));
  const given = [buffers.next(), buffers.next(), buffers.next()];
  expect(given.map((one) => `${one?.dispatchId}${one?.sequence}`)).toEqual(['a1', 'b1', 'a2']);
  expect(numbers(buffers.take('a'))).toEqual([3]);
  expect(numbers(buffers.take('a'))).toEqual([]);
  expect([buffers.next()?.sequence, buffers.next()]).toEqual([2, undefined]);
  expect([buffers.count, buffers.bytes]).toEqual([0, 0]);
});
