import { afterEach, beforeEach, expect, it } from 'vitest';
import { sampleFanoutRecord } from '../../../test/model/fanout-sample.js';
import { silent } from '../../../test/model/samples.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { verifiedCaller } from '../../kernel/authority.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import type { Store } from '../../kernel/store.js';
import { toOperation } from '../records.js';
import { fanoutOfKey, orderRow, readOrder } from './orders.js';
import { FanoutRetention } from './retention.js';

const day = 86_400_000;
const ada = verifiedCaller({ kind: 'operator', name: 'ada', role: 'invoker' });
const request = (key: string) => ({
  capability: 'echo',
  all: true,
  input: { message: 'hi' },
  idempotencyKey: key,
});

let store: Store;
beforeEach(() => {
  store = new MemoryStore();
});
afterEach(() => store.close());

it('deletes what ended long ago with its order, and neither what has not ended nor what ended of late', async () => {
  const clock = new SimulatedClock();
  const now = clock.now();
  const add = async (id: string, agoMs: number, state: 'succeeded' | 'running'): Promise<void> => {
    const record = sampleFanoutRecord({ id, state, createdAt: now - agoMs, updatedAt: now - agoMs });
    await store.commit([toOperation('fanout', '', record), orderRow(record, ada, request(id))], 'fsync');
  };
  await add('fo_old', 40 * day, 'succeeded');
  await add('fo_new', day, 'succeeded');
  await add('fo_runs', 40 * day, 'running');
  const deadlines = new Deadlines(clock, silent);
  const retention = new FanoutRetention({
    store,
    clock,
    deadlines,
    log: silent,
    ageMs: 30 * day,
    count: 100,
  });
  expect(await retention.sweep()).toBe(1);
  const left = await store.list({ kind: 'fanout', states: ['succeeded', 'running'], limit: 10 });
  expect(left.records.map(({ id }) => id).sort()).toEqual(['fo_new', 'fo_runs']);
  expect(await readOrder(store, 'fo_old')).toBeUndefined();
  expect(await fanoutOfKey(store, ada, request('fo_old'))).toBeUndefined();
  expect(await fanoutOfKey(store, ada, request('fo_new'))).toBe('fo_new');
});
