import { expect, it } from 'vitest';
import { sampleDispatch } from '../../../test/model/samples.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { silentLog } from '../../testing/silent-log.js';
import { LiveDispatches } from './live.js';
import { DispatchWaiters } from './waiters.js';

const record = sampleDispatch();

function setUp() {
  const clock = new SimulatedClock();
  const waiters = new DispatchWaiters(new Deadlines(clock, silentLog), new LiveDispatches());
  return { clock, waiters };
}

it('keeps nothing of a caller who has left, and tells the others', async () => {
  const { waiters } = setUp();
  const caller = new AbortController();
  const left = Promise.allSettled(Array.from({ length: 10 }, () => waiters.wait(record, caller.signal)));
  expect(waiters.size).toBe(1);
  caller.abort();
  expect(waiters.size).toBe(0);
  expect(new Set((await left).map(({ status }) => status))).toEqual(new Set(['rejected']));
  await expect(waiters.wait(record, AbortSignal.abort())).rejects.toMatchObject({
    code: 'dispatch.wait_timeout',
  });
  const stays = waiters.wait(record, new AbortController().signal);
  waiters.tell(record);
  expect(await stays).toBe(record);
  expect(waiters.size).toBe(0);
});

it('tells one who waits too long that it goes on, and keeps nothing of him', async () => {
  const { clock, waiters } = setUp();
  const late = waiters.wait(record);
  clock.advance(record.timeoutMs + record.mediationTimeoutMs + 5_000);
  await expect(late).rejects.toMatchObject({
    code: 'dispatch.wait_timeout',
    details: { dispatchId: record.id },
  });
  expect(waiters.size).toBe(0);
});
