import { expect, it } from 'vitest';
import { sampleResult } from '../../../test/model/samples.js';
import { FrameBatch } from '../link/batch.js';
import type { NodeFrame } from '../link/frames.js';
import { ProgressOutbox } from './progress-outbox.js';

/** A line of which the test says when it has taken a frame. */
function line() {
  const frames: NodeFrame[] = [];
  const pending: (() => void)[] = [];
  const batch = new FrameBatch<NodeFrame>(
    (frame, written) => {
      frames.push(frame);
      pending.push(written);
    },
    () => 0,
  );
  const numbers = (dispatchId = 'dp_1') =>
    frames.flatMap(({ progress = [] }) =>
      progress.filter((one) => one.dispatchId === dispatchId).map(({ sequence }) => sequence),
    );
  const drain = (): void => {
    for (let written = pending.shift(); written; written = pending.shift()) written();
  };
  return { batch, frames, numbers, drain, written: () => pending.shift()?.() };
}

function flood(outbox: ProgressOutbox, values: number, bytes: number, dispatchId = 'dp_1'): void {
  for (let sequence = 1; sequence <= values; sequence++) {
    outbox.add({ dispatchId, sequence, value: new Uint8Array(bytes) });
  }
}

it('sends the first at once and the rest in order, several in a frame', () => {
  const { batch, frames, numbers, drain } = line();
  const outbox = new ProgressOutbox();
  outbox.attach(batch);
  flood(outbox, 10, 100);
  expect(numbers()).toEqual([1]);
  drain();
  expect(numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(frames).toHaveLength(2);
});

it('loses the oldest of a flood that the line does not take, within bounds, and results go past it', () => {
  const { batch, frames, numbers, drain, written } = line();
  const outbox = new ProgressOutbox();
  outbox.attach(batch);
  flood(outbox, 100_000, 64 * 1024);
  expect(batch.waitingBytes).toBe(0);
  batch.push('results', sampleResult({ dispatchId: 'dp_2' }));
  written();
  expect(frames[1]?.results).toHaveLength(1);
  // What rides with the result is less than a frame holds, so the result waited for one write.
  expect(frames[1]?.progress?.length).toBeLessThanOrEqual(2);
  drain();
  expect(numbers()).toEqual([1, 99_997, 99_998, 99_999, 100_000]);
});

it('lets no flood take the turn of another execution', () => {
  const { batch, numbers, written } = line();
  const outbox = new ProgressOutbox();
  outbox.attach(batch);
  flood(outbox, 1_000, 60 * 1024);
  flood(outbox, 2, 10, 'dp_2');
  written();
  expect(numbers('dp_2')).toEqual([1, 2]);
});

it('puts what is left ahead of the result, and nowhere when the line is slow', () => {
  const { batch, numbers, drain } = line();
  const outbox = new ProgressOutbox();
  outbox.attach(batch);
  flood(outbox, 5, 10);
  outbox.end('dp_1');
  batch.push('results', sampleResult());
  drain();
  expect(numbers()).toEqual([1, 2, 3, 4, 5]);
  for (let at = 0; at < 3; at++) batch.push('results', sampleResult({ output: new Uint8Array(1024 * 1024) }));
  flood(outbox, 5, 10, 'dp_2');
  outbox.end('dp_2');
  drain();
  expect(numbers('dp_2')).toEqual([]);
});

it('keeps the latest while there is no session, and counts nothing twice when another begins', () => {
  const first = line();
  const outbox = new ProgressOutbox();
  outbox.attach(first.batch);
  flood(outbox, 2, 10);
  outbox.detach();
  const second = line();
  outbox.attach(second.batch);
  first.drain();
  second.drain();
  expect([first.numbers(), second.numbers()]).toEqual([[1], [2]]);
});
