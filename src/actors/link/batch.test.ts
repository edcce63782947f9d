import { expect, it } from 'vitest';
import { FrameBatch } from './batch.js';
import type { DaemonFrame, DispatchOrder } from './frames.js';

function make() {
  const frames: DaemonFrame[] = [];
  const pending: (() => void)[] = [];
  const batch = new FrameBatch<DaemonFrame>(
    (frame, written) => {
      frames.push(frame);
      pending.push(written);
    },
    () => 7,
  );
  return { batch, frames, written: () => pending.shift()?.() };
}

it('sends the first item at once and gathers what comes until it is written, in order', () => {
  const { batch, frames, written } = make();
  batch.push('settled', 'a');
  expect(frames).toEqual([{ settled: ['a'], sentAtMs: 7 }]);
  batch.push('settled', 'b');
  batch.push('cancels', { dispatchId: 'x', reason: '' });
  batch.push('settled', 'c');
  expect(frames).toHaveLength(1);
  written();
  expect(frames[1]).toEqual({ settled: ['b', 'c'], cancels: [{ dispatchId: 'x', reason: '' }], sentAtMs: 7 });
  written();
  expect(frames).toHaveLength(2);
  batch.push('settled', 'd');
  expect(frames[2]).toEqual({ settled: ['d'], sentAtMs: 7 });
});

it('keeps the last value of a single field', () => {
  const { batch, frames, written } = make();
  batch.set('heartbeatAck', true);
  batch.set('renew', { reason: 'one' });
  batch.set('renew', { reason: 'two' });
  written();
  expect(frames[1]).toEqual({ renew: { reason: 'two' }, sentAtMs: 7 });
});

it('closes when everything that was said is written, and takes nothing more', () => {
  const { batch, frames, written } = make();
  let idle = 0;
  batch.push('settled', 'a');
  batch.push('settled', 'b');
  batch.close(() => idle++);
  batch.push('settled', 'too late');
  batch.set('heartbeatAck', true);
  written();
  expect(idle).toBe(0);
  written();
  expect(idle).toBe(1);
  expect(frames.map((frame) => frame.settled)).toEqual([['a'], ['b']]);
});

it('closes at once when nothing is under way', () => {
  const { batch } = make();
  let idle = 0;
  batch.close(() => idle++);
  expect(idle).toBe(1);
});

it('survives a transport that takes each frame within the call', () => {
  const frames: DaemonFrame[] = [];
  const batch = new FrameBatch<DaemonFrame>(
    (frame, written) => {
      frames.push(frame);
      written();
    },
    () => 0,
  );
  for (const id of ['a', 'b', 'c']) batch.push('settled', id);
  expect(frames.map((frame) => frame.settled)).toEqual([['a'], ['b'], ['c']]);
});

it('goes on in another frame before one is too large for a message', () => {
  const { batch, frames, written } = make();
  const order = (dispatchId: string): DispatchOrder => ({
    dispatchId,
    capability: 'echo',
    descriptorDigest: '',
    input: new Uint8Array(700_000),
    timeoutMs: 1,
    latestEndMs: 1,
    caller: '',
    mediationTimeoutMs: 0,
    repeatable: true,
  });
  for (const id of ['a', 'b', 'c', 'd']) batch.push('dispatches', order(id));
  batch.push('settled', 'x');
  expect(batch.backlog).toBe(4);
  for (let i = 0; i < 4; i++) written();
  expect(frames.map((frame) => frame.dispatches?.map((one) => one.dispatchId))).toEqual([
    ['a'],
    ['b'],
    ['c'],
    ['d'],
  ]);
  expect(frames.at(-1)?.settled).toEqual(['x']);
  expect(batch.backlog).toBe(0);
});
