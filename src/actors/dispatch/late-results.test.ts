import { beforeEach, describe, expect, it } from 'vitest';
import { sampleDispatch, sampleResult, start } from '../../../test/model/samples.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import type { Catalog } from '../../plugins/catalog.js';
import { turns } from '../../testing/process-life.js';
import type { NodeResult } from '../link/frames.js';
import { fromStored, toOperation } from '../records.js';
import { LateResults } from './late-results.js';
import type { DispatchRecord } from './record.js';
import { DispatchRecorder } from './recorder.js';

let store: MemoryStore;
let late: LateResults;
let settled: string[];
let warnings: unknown[];
beforeEach(() => {
  store = new MemoryStore();
  settled = [];
  warnings = [];
  const clock = new SimulatedClock(start + 60_000);
  const log = { debug() {}, info() {}, warn: (fields: object) => void warnings.push(fields), error() {} };
  const failed = (error: unknown): never => {
    throw error;
  };
  const recorder = new DispatchRecorder({ store, deadlines: new Deadlines(clock, log), failed });
  const catalog = { get: () => ({ output: { check: () => [] } }) } as unknown as Catalog;
  late = new LateResults({
    store,
    clock,
    log,
    catalog,
    recorder,
    outputLimit: 1_000,
    settled: (deviceId, id) => settled.push(`${deviceId} ${id}`),
  });
});

async function write(changes: Partial<DispatchRecord>): Promise<void> {
  const record = sampleDispatch({ finishedAt: start + 5, updatedAt: start + 5, ...changes, version: 1 });
  await store.commit([toOperation('dispatch', record.deviceId, record)]);
}

async function take(changes: Partial<NodeResult> = {}, deviceId = 'LABNODE'): Promise<void> {
  late.take(deviceId, sampleResult(changes));
  await turns(5);
}

async function record(): Promise<DispatchRecord> {
  const stored = await store.get('dispatch', 'dp_1');
  if (!stored) throw new Error('it is gone');
  return fromStored(stored);
}

const lost = { state: 'outcome_unknown', outcome: { state: 'outcome_unknown', reason: 'lost' } } as const;

describe('an unknown outcome', () => {
  it('takes one later resolution, exactly, and keeps its state', async () => {
    await write(lost);
    // The two are there at once, as in one frame of a node.
    late.take('LABNODE', sampleResult());
    late.take('LABNODE', sampleResult({ outcome: 'failed' }));
    await turns(10);
    expect(await record()).toMatchObject({
      ...lost,
      version: 3,
      resolution: { state: 'succeeded', output: { a: 1 } },
      steps: [
        { to: 'queued' },
        { to: 'resolution', by: 'device:LABNODE' },
        { to: 'late_result', note: 'failed' },
      ],
    });
    expect(late.countsOf('LABNODE')).toMatchObject({ resolved: 1, late: 1 });
    expect(settled).toEqual(['LABNODE dp_1', 'LABNODE dp_1']);
  });

  it('is not resolved by a node that says again that it does not know', async () => {
    await write(lost);
    const before = await record();
    await take({ outcome: 'unknown' });
    expect(await record()).toEqual(before);
    expect(late.countsOf('LABNODE')).toMatchObject({ resolved: 0, repeated: 1 });
    await take();
    expect((await record()).resolution?.state).toBe('succeeded');
  });
});

describe('a result after the end', () => {
  const ended = { state: 'succeeded', outcome: { state: 'succeeded', output: { a: 1 } } } as const;

  it('that says the same is settled again, and noted nowhere', async () => {
    await write(ended);
    const before = await record();
    await take();
    expect(await record()).toEqual(before);
    expect(settled).toEqual(['LABNODE dp_1']);
    expect([late.countsOf('LABNODE').repeated, warnings]).toEqual([1, []]);
  });

  it.each<[string, Partial<NodeResult>]>([
    ['another state', { outcome: 'failed' }],
    ['another output', { output: Buffer.from('{"a":2}') }],
  ])(
    'with %s is noted and counted, and changes neither state, nor outcome, nor age',
    async (_what, result) => {
      await write(ended);
      const { version, steps, ...before } = await record();
      await take(result);
      const after = await record();
      expect(after).toMatchObject({ ...before, version: version + 1 });
      expect(after.steps.slice(steps.length)).toMatchObject([{ to: 'late_result', by: 'device:LABNODE' }]);
      expect(after.updatedAt).toBe(before.updatedAt);
      expect(late.countsOf('LABNODE').late).toBe(1);
      expect(warnings).toEqual([{ device: 'LABNODE', dispatch: 'dp_1', count: 1 }]);
      expect(settled).toEqual(['LABNODE dp_1']);
    },
  );

  it('is noted so often and no more, however often it comes', async () => {
    await write(ended);
    for (let at = 0; at < 20; at++) await take({ outcome: 'failed' });
    expect((await record()).steps).toHaveLength(9);
    expect(late.countsOf('LABNODE').late).toBe(20);
    expect(settled).toHaveLength(20);
  });

  it('of what the daemon had stopped at its deadline is no other', async () => {
    await write({ state: 'timed_out', outcome: { state: 'timed_out', reason: 'deadline' } });
    await take({ outcome: 'cancelled' });
    expect(late.countsOf('LABNODE')).toMatchObject({ late: 0, repeated: 1 });
  });
});

it('a result for a dispatch of another device is counted and believed in nothing', async () => {
  await write(lost);
  const before = await record();
  await take({}, 'MALLORY');
  expect(await record()).toEqual(before);
  expect(late.countsOf('MALLORY').foreign).toBe(1);
  expect(late.countsOf('LABNODE').foreign).toBe(0);
  expect(settled).toEqual([]);
});

it('a result that no dispatch belongs to is settled and counted, and makes none', async () => {
  await take({ dispatchId: 'dp_9' });
  expect(late.countsOf('LABNODE').orphaned).toBe(1);
  expect(settled).toEqual(['LABNODE dp_9']);
  expect((await store.list({ kind: 'dispatch' })).records).toEqual([]);
});

it('leaves what has not ended to its actor', async () => {
  await write({ state: 'running' });
  const before = await record();
  await take();
  expect([await record(), settled]).toEqual([before, []]);
});
