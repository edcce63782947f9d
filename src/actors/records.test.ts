import { expect, it } from 'vitest';
import { FailingStore } from '../adapters/store/failing.js';
import { MemoryStore } from '../adapters/store/memory.js';
import type { Cause } from '../kernel/journal.js';
import { eachStored, fromStored, RecordTable, transact } from './records.js';

interface Counter {
  readonly id: string;
  readonly version: number;
  readonly state: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly count: number;
}

const zero: Counter = { id: 'c', version: 1, state: 'on', createdAt: 1, updatedAt: 1, count: 0 };

it('repeats a change that lost a race on what is there by then, so that none gets lost', async () => {
  const store = new MemoryStore();
  const table = new RecordTable<Counter>('counter');
  await transact(store, () => ({ changes: [table.put(zero)], result: undefined }));
  let builds = 0;
  const add = (): Promise<number> =>
    transact(store, () => {
      builds += 1;
      const counter = table.get('c') ?? zero;
      const count = counter.count + 1;
      return { changes: [table.put({ ...counter, count })], result: count };
    });
  expect((await Promise.all([add(), add(), add(), add()])).sort()).toEqual([1, 2, 3, 4]);
  expect(builds).toBeGreaterThan(4);
  expect(table.get('c')).toMatchObject({ count: 4, version: 5 });
  const again = new RecordTable<Counter>('counter');
  await again.load(store);
  expect(again.get('c')).toEqual(table.get('c'));
});

it('gives every change its turn, however many want the same record at once', async () => {
  const store = new MemoryStore();
  const table = new RecordTable<Counter>('counter');
  await transact(store, () => ({ changes: [table.put(zero)], result: undefined }));
  const add = (): Promise<number> =>
    transact(store, () => {
      const counter = table.get('c') ?? zero;
      const count = counter.count + 1;
      return { changes: [table.put({ ...counter, count })], result: count };
    });
  const counts = await Promise.all(Array.from({ length: 100 }, add));
  expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
});

it('checks again before it repeats', async () => {
  const store = new MemoryStore();
  const table = new RecordTable<Counter>('counter');
  const claim = (): Promise<string> =>
    transact(store, () => {
      if (table.get('c')) throw new Error('taken');
      return { changes: [table.put(zero)], result: 'mine' };
    });
  const outcomes = await Promise.allSettled([claim(), claim()]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected']);
});

it('shows nothing that could not be written', async () => {
  const store = new FailingStore(new MemoryStore());
  const table = new RecordTable<Counter>('counter');
  const put = transact(store, () => ({ changes: [table.put(zero)], result: undefined }));
  await expect(put).rejects.toMatchObject({ code: 'store.failed' });
  expect(table.get('c')).toBeUndefined();
});

it('gives up when memory and store never agree', async () => {
  const store = new MemoryStore();
  const other = new RecordTable<Counter>('counter');
  await transact(store, () => ({ changes: [other.put(zero)], result: undefined }));
  const stale = new RecordTable<Counter>('counter');
  const put = transact(store, () => ({ changes: [stale.put(zero)], result: undefined }));
  await expect(put).rejects.toMatchObject({ code: 'store.conflict' });
});

it('writes what led to a change into the journal of its record, with the state before', async () => {
  const store = new MemoryStore();
  const table = new RecordTable<Counter>('counter');
  const change = (next: Counter, cause?: Cause): Promise<void> =>
    transact(store, () => ({ changes: [table.put(next, cause)], result: undefined }));
  await change(zero, { event: 'mint', by: 'operator:ada' });
  await change({ ...zero, count: 1 });
  await change(
    { ...zero, state: 'off', updatedAt: 9 },
    { event: 'expire', by: 'its deadline', note: 'late' },
  );
  expect(await store.history('counter', 'c')).toEqual([
    { version: 1, at: 1, event: 'mint', by: 'operator:ada', from: '', to: 'on' },
    { version: 3, at: 9, event: 'expire', by: 'its deadline', from: 'on', to: 'off', note: 'late' },
  ]);
});

it('forgets a record that was deleted, in memory when it is gone from the store', async () => {
  const store = new MemoryStore();
  const table = new RecordTable<Counter>('counter');
  await transact(store, () => ({ changes: [table.put(zero)], result: undefined }));
  const removing = transact(store, () => ({ changes: table.remove('c'), result: undefined }));
  expect(table.get('c')).toBeDefined();
  await removing;
  expect(table.get('c')).toBeUndefined();
  expect(await store.get('counter', 'c')).toBeUndefined();
  expect(table.remove('c')).toEqual([]);
});

it('walks all pages', async () => {
  const store = new MemoryStore();
  const table = new RecordTable<Counter>('counter');
  const all = Array.from({ length: 2_100 }, (_, i) => ({ ...zero, id: `c${i}`, createdAt: i }));
  await transact(store, () => ({ changes: all.map((one) => table.put(one)), result: undefined }));
  const seen: string[] = [];
  for await (const stored of eachStored(store, 'counter', ['on'])) seen.push(fromStored<Counter>(stored).id);
  expect(seen).toEqual(all.map((one) => one.id));
});
