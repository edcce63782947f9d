import { expect, it, vi } from 'vitest';
import { sampleDispatch } from '../../../test/model/samples.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { verifiedCaller } from '../../kernel/authority.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { silentLog } from '../../testing/silent-log.js';
import { toOperation } from '../records.js';
import { DispatchFeeds } from './feeds.js';
import { LiveDispatches } from './live.js';
import type { DispatchRecord } from './record.js';
import { step } from './steps.js';
import type { DispatchHappening, FeedCursor } from './view.js';

const viewer = verifiedCaller({ kind: 'operator', name: 'test', role: 'viewer' });
const running = sampleDispatch({ state: 'running', sentInEpoch: 3, deviceId: 'LABNODE' });

function setUp(record: DispatchRecord = running) {
  const clock = new SimulatedClock();
  const live = new LiveDispatches();
  const store = new MemoryStore();
  const feeds = new DispatchFeeds({ live, store, deadlines: new Deadlines(clock, silentLog) });
  live.set(record);
  const say = (sequence: number, value: unknown = sequence, from = 'LABNODE', id = record.id): void =>
    feeds.take(from, { dispatchId: id, sequence, value: Buffer.from(JSON.stringify(value)) });
  const raw = (sequence: number, value: string): void =>
    feeds.take('LABNODE', { dispatchId: record.id, sequence, value: Buffer.from(value) });
  const stop = new AbortController();
  const follow = async (after?: FeedCursor) => {
    const options = { signal: stop.signal, ...(after === undefined ? {} : { after }) };
    return (await feeds.follow(viewer, record.id, options))[Symbol.asyncIterator]();
  };
  const end = async (): Promise<void> => {
    const ended = step(record, 'succeeded', 1, { event: 'result', by: 'device:LABNODE' });
    await store.commit([toOperation('dispatch', ended.deviceId, { ...ended, version: 1 })]);
    live.set(ended);
    live.delete(ended);
  };
  return { clock, live, feeds, say, raw, follow, stop, end };
}

function told(happening: DispatchHappening | undefined): string {
  if (happening?.event === 'progress') return `${happening.sequence}`;
  if (happening?.event === 'gap') return `gap ${happening.missed}`;
  if (happening?.event === 'step') return happening.step.to;
  return happening?.event ?? 'over';
}

type Reader = AsyncIterator<DispatchHappening>;

async function take(reader: Reader, count: number): Promise<readonly string[]> {
  const all: string[] = [];
  for (let at = 0; at < count; at++) {
    const { value, done } = (await reader.next()) as IteratorResult<DispatchHappening, undefined>;
    all.push(done === true ? 'over' : told(value));
  }
  return all;
}

it('tells steps, then progress in order, and its end when that is on disk', async () => {
  const { feeds, say, follow, end } = setUp();
  const reader = await follow();
  const first = take(reader, running.steps.length + 2);
  say(1);
  say(2);
  expect((await first).slice(-2)).toEqual(['1', '2']);
  const last = take(reader, 2);
  await end();
  expect(await last).toEqual(['end', 'over']);
  expect(feeds.size.feeds).toBe(1);
});

it('has no feed for what has neither progress nor a reader, and forgets those of what has ended', async () => {
  const { clock, live, feeds, say, follow, end, stop } = setUp();
  live.set({ ...running, version: 2 });
  expect(feeds.size).toEqual({ feeds: 0, bytes: 0 });
  const reader = await follow();
  await take(reader, running.steps.length);
  expect(feeds.size.feeds).toBe(1);
  const rest = take(reader, 1);
  stop.abort();
  expect(await rest).toEqual(['over']);
  expect(feeds.size.feeds).toBe(0);
  say(1);
  await end();
  expect(feeds.size).toEqual({ feeds: 1, bytes: 1 });
  clock.advance(30_000);
  expect(feeds.size).toEqual({ feeds: 0, bytes: 0 });
});

it('goes on after what a reader has, and says how many it missed', async () => {
  const { say, follow } = setUp();
  for (const at of [1, 2, 5, 6]) say(at);
  const all = running.steps.length;
  expect(await take(await follow({ steps: all, epoch: 3, sequence: 5 }), 1)).toEqual(['6']);
  expect(await take(await follow({ steps: all, epoch: 3, sequence: 2 }), 3)).toEqual(['gap 2', '5', '6']);
  expect(await take(await follow({ steps: all, epoch: 2, sequence: 9 }), 3)).toEqual(['1', '2', 'gap 2']);
});

it('keeps the latest of a flood within bounds, and tells a slow reader and a late one of the gap', async () => {
  const { feeds, say, follow, end } = setUp();
  const all = running.steps.length;
  const reader = await follow();
  await take(reader, all);
  for (let at = 1; at <= 100_000; at++) say(at, 'x'.repeat(1_000));
  expect(feeds.size.bytes).toBeLessThanOrEqual(512 * 1024);
  expect((await take(reader, 2))[0]).toBe('gap 99744');
  await end();
  const late = await follow({ steps: all, epoch: 3, sequence: 100_000 });
  expect(await take(late, 2)).toEqual(['end', 'over']);
});

it('tells a reader who comes to the end too slowly what he never saw', async () => {
  const { clock, say, follow, end } = setUp();
  const reader = await follow();
  await take(reader, running.steps.length);
  for (const at of [1, 2, 3]) say(at);
  await end();
  clock.advance(30_000);
  expect(await take(reader, 3)).toEqual(['gap 3', 'end', 'over']);
});

it('drops and counts what a node may not say, and changes nothing by it', async () => {
  const { live, feeds, say, raw, follow, end } = setUp();
  say(1, 'foreign', 'OTHER');
  say(1, 'unknown', 'LABNODE', 'dp_unknown');
  say(2);
  say(2, 'again');
  say(1, 'too late');
  say(3, 'x'.repeat(70_000));
  expect([feeds.droppedOf('OTHER'), feeds.droppedOf('LABNODE'), feeds.droppedOf('QUIET')]).toEqual([1, 4, 0]);
  raw(4, 'no json');
  raw(5, `${'['.repeat(10_000)}${']'.repeat(10_000)}`);
  raw(6, '{"__proto__": 1}');
  say(7);
  expect(live.get(running.id)).toBe(running);
  await end();
  const all = running.steps.length;
  expect(await take(await follow({ steps: all, epoch: 3, sequence: 0 }), 5)).toEqual([
    'gap 1',
    '2',
    'gap 4',
    '7',
    'end',
  ]);
  say(8, 'after the end');
  expect(feeds.droppedOf('LABNODE')).toBe(5);
});

it('reads what is no JSON once, however often its node sends it to a reader', async () => {
  const { raw, follow } = setUp();
  const reader = await follow();
  await take(reader, running.steps.length);
  const parse = vi.spyOn(JSON, 'parse');
  for (let at = 1; at <= 200; at++) {
    raw(at, 'no json');
    expect(await take(reader, 1)).toEqual(['gap 1']);
  }
  expect(parse).toHaveBeenCalledTimes(200);
  parse.mockRestore();
});

it('takes nothing before its handler can run, and counts anew when it was sent again', async () => {
  const { live, feeds, say, follow } = setUp({ ...running, state: 'queued' });
  say(1);
  expect(feeds.droppedOf('LABNODE')).toBe(1);
  live.set(running);
  for (const at of [1, 2, 3]) say(at);
  live.set({ ...running, sentInEpoch: 4 });
  say(1, 'again');
  const reader = await follow({ steps: running.steps.length, epoch: 3, sequence: 3 });
  expect(await take(reader, 1)).toEqual(['1']);
});

it('has no dispatch to follow where there is none', async () => {
  const { feeds, stop } = setUp();
  await expect(feeds.follow(viewer, 'dp_none', { signal: stop.signal })).rejects.toMatchObject({
    code: 'dispatch.not_found',
  });
});
