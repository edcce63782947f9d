import { beforeEach, expect, it } from 'vitest';
import { sampleDispatch, start } from '../../../test/model/samples.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { toOperation } from '../records.js';
import { LiveDispatches } from './live.js';
import type { DispatchRecord } from './record.js';
import { DispatchSearch } from './search.js';
import type { DispatchFilter } from './view.js';

let store: MemoryStore;
let live: LiveDispatches;
let search: DispatchSearch;
beforeEach(() => {
  store = new MemoryStore();
  live = new LiveDispatches();
  const devices = { get: (id: string) => (id === 'LABNODE' ? ({ name: 'lab' } as never) : undefined) };
  search = new DispatchSearch({ store, live, devices });
});

async function write(...records: readonly DispatchRecord[]): Promise<void> {
  await store.commit(
    records.map((record) => toOperation('dispatch', record.deviceId, { ...record, version: 1 })),
    'wal',
  );
}

function ended(number: number, changes: Partial<DispatchRecord> = {}): DispatchRecord {
  const id = `dp_${String(number).padStart(6, '0')}`;
  const outcome = { state: 'succeeded', output: { large: 'x' } } as const;
  return sampleDispatch({ id, createdAt: start + number, state: 'succeeded', outcome, ...changes });
}

const ids = async (filter: DispatchFilter): Promise<readonly string[]> =>
  (await search.page(filter)).dispatches.map(({ id }) => id);

/** All that a filter finds, and how many pages that took. */
async function all(
  filter: DispatchFilter,
): Promise<{ readonly found: readonly string[]; readonly pages: number }> {
  const found: string[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page = await search.page({ ...filter, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.dispatches.map(({ id }) => id));
    pages += 1;
    cursor = page.next;
  } while (cursor !== undefined);
  return { found, pages };
}

it('finds the latest first by what is asked of them, without what may be large of them', async () => {
  await write(
    ended(1),
    ended(2, { capability: 'once', caller: 'operator:eve' }),
    ended(3, { labels: { team: 'infra', run: '42' } }),
    ended(4, { deviceId: 'OTHER', state: 'failed' }),
  );
  expect(await ids({})).toEqual(['dp_000004', 'dp_000003', 'dp_000002', 'dp_000001']);
  expect(await ids({ capability: 'once' })).toEqual(['dp_000002']);
  expect(await ids({ caller: 'operator:eve' })).toEqual(['dp_000002']);
  expect(await ids({ labels: { team: 'infra' } })).toEqual(['dp_000003']);
  expect(await ids({ labels: { team: 'infra', run: '43' } })).toEqual([]);
  expect(await ids({ labels: { constructor: '' } })).toEqual([]);
  expect(await ids({ states: ['failed'] })).toEqual(['dp_000004']);
  expect(await ids({ since: start + 2, until: start + 4 })).toEqual(['dp_000003', 'dp_000002']);
  const [other, third] = (await search.page({})).dispatches;
  expect(third).toMatchObject({ nodeName: 'lab', outcome: { state: 'succeeded' } });
  for (const large of ['input', 'steps', 'nodeName']) expect(other).not.toHaveProperty(large);
  expect(third?.outcome).not.toHaveProperty('output');
});

it('shows what lives as it is in memory, whatever state the disk has of it', async () => {
  await write(ended(1, { state: 'queued' }), ended(2, { state: 'dispatched' }));
  live.set(ended(1, { state: 'running' }));
  expect(await ids({ states: ['running'] })).toEqual(['dp_000001']);
  expect(await ids({ states: ['queued'] })).toEqual([]);
});

it('goes on where a page ended, wherever that was, and names each once', async () => {
  await write(...Array.from({ length: 130 }, (_, at) => ended(at, { capability: at % 3 ? 'echo' : 'once' })));
  const expected = Array.from({ length: 130 }, (_, at) => 129 - at).filter((at) => at % 3 === 0);
  for (const limit of [1, 7, 43, 44, 100]) {
    const { found, pages } = await all({ capability: 'once', limit });
    expect(found).toEqual(expected.map((at) => `dp_${String(at).padStart(6, '0')}`));
    expect(pages).toBeGreaterThanOrEqual(Math.ceil(44 / limit));
  }
});

it('looks only so far in one call for what has no index, and says where to go on', async () => {
  await write(...Array.from({ length: 4_100 }, (_, at) => ended(at, at === 0 ? { capability: 'once' } : {})));
  const first = await search.page({ capability: 'once' });
  expect(first.dispatches).toEqual([]);
  expect(first.next).toBeDefined();
  expect(await all({ capability: 'once' })).toEqual({ found: ['dp_000000'], pages: 3 });
});

it('reads only so many bytes in one call, and gets on with any that is larger', async () => {
  const input = { text: 'x'.repeat(9 * 1024 * 1024) };
  await write(...[1, 2, 3].map((at) => ended(at, { input })));
  expect(await all({})).toEqual({ found: ['dp_000003', 'dp_000002', 'dp_000001'], pages: 3 });
});
