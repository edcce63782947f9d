import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sampleDispatch, silent } from '../../../test/model/samples.js';
import { childProgram } from '../../../test/support/child-program.js';
import { turnsDuring, turnsText } from '../../../test/support/loop-turns.js';
import { openStore } from '../../adapters/store/sqlite/sqlite-store.js';
import { verifiedCaller } from '../../kernel/authority.js';
import { systemClock } from '../../kernel/clock.js';
import { Deadlines } from '../../kernel/deadlines.js';
import type { Store, StoreOperation } from '../../kernel/store.js';
import { toOperation } from '../records.js';
import { nothingYet, type SweepRule } from '../sweeper.js';
import { idempotencyEntry } from './idempotency.js';
import { LiveDispatches } from './live.js';
import { type DispatchRecord, liveDispatchStates, terminalDispatchStates } from './record.js';
import { DispatchRetention, type DispatchRetentionOptions, resolutionMs } from './retention.js';

const hour = 3_600_000;
const day = 24 * hour;
const days30 = 30 * day;
const caller = verifiedCaller({ kind: 'operator', name: 'ada', role: 'invoker' });

let directory: string;
let file: string;
let store: Store;
let now: number;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palyra-retention-'));
  file = join(directory, 'palyra.db');
  store = await openStore(file);
  now = systemClock.now();
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

interface Sweep extends Partial<DispatchRetentionOptions>, SweepRule {
  readonly dryRun?: boolean;
}

/** One sweep, by age if nothing else is said. Returns how far it came. */
async function swept({
  clock = systemClock,
  ageMs = days30,
  count = 1_000_000,
  states,
  dryRun,
  ...options
}: Sweep = {}) {
  const deadlines = new Deadlines(clock, silent);
  const progress = nothingYet();
  const retention = new DispatchRetention({
    store,
    clock,
    deadlines,
    live: new LiveDispatches(),
    isLookedFor: () => false,
    ...options,
  });
  await retention.sweep({ ageMs, count, ...(states ? { states } : {}) }, progress, dryRun);
  return progress;
}

/** A dispatch that ended some time ago, a second after its creation unless told. */
function ended(id: string, agoMs: number, changes: Partial<DispatchRecord> = {}): DispatchRecord {
  const at = now - agoMs;
  return sampleDispatch({
    id,
    version: 1,
    state: 'succeeded',
    createdAt: at - 1_000,
    updatedAt: at,
    finishedAt: at,
    ...changes,
  });
}

function rowsOf(record: DispatchRecord): StoreOperation[] {
  const row = toOperation('dispatch', record.deviceId, record);
  return record.idempotencyKey === undefined
    ? [row]
    : [row, idempotencyEntry(record, { ...record, caller, key: record.idempotencyKey })];
}

async function write(records: readonly DispatchRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += 1_000) {
    await store.commit(records.slice(from, from + 1_000).flatMap(rowsOf), 'wal');
  }
}

/** The ids of the dispatches on disk, and of those that the idempotency entries on disk name. */
async function left(): Promise<{ readonly ids: readonly string[]; readonly keyed: readonly string[] }> {
  const all = async (kind: string) => {
    const found = [];
    let cursor: string | undefined;
    do {
      const page = await store.list({ kind, limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.records);
      cursor = page.next;
    } while (cursor !== undefined);
    return found;
  };
  const ids = (await all('dispatch')).map(({ id }) => id).sort();
  const keyed = (await all('idempotency')).map(({ data }) => (data as { dispatchId: string }).dispatchId);
  return { ids, keyed: keyed.sort() };
}

/** `count` dispatches that ended, every fourth within the last 30 days, every fifth with a key, on ten nodes. */
function history(prefix: string, count: number): readonly DispatchRecord[] {
  return Array.from({ length: count }, (_, n) =>
    ended(`${prefix}${String(n).padStart(6, '0')}`, n % 4 === 0 ? 2 * day + n : days30 + day + n, {
      deviceId: `NODE${n % 10}`,
      state: terminalDispatchStates[n % terminalDispatchStates.length] ?? 'failed',
      ...(n % 5 === 0 ? { idempotencyKey: `key ${prefix}${n}` } : {}),
    }),
  );
}

it('prunes 20,000 by age in small turns, and nothing that lives', async () => {
  const live = liveDispatchStates.flatMap((state) =>
    Array.from({ length: 50 }, (_, n) =>
      ended(`${state}${n}`, 300 * day, { state, idempotencyKey: `${state}${n}` }),
    ),
  );
  const records = history('h', 20_000);
  await write([...live, ...records]);
  const stays = (record: DispatchRecord) => live.includes(record) || record.updatedAt > now - days30;
  const kept = [...live, ...records].filter(stays);
  const rounds: number[] = [];
  const p95: number[] = [];
  for (let round = 0; round < 3; round++) {
    if (round > 0) await write(records.filter((record) => !stays(record)));
    const turns = await turnsDuring(async () => {
      rounds.push((await swept()).pruned);
    });
    console.log(turnsText(turns));
    p95.push(turns.p95);
  }
  // The few that are longer are SQLite's checkpoints, which wait for the disk, as after any 4 MB that were written.
  expect(Math.min(...p95)).toBeLessThan(5);
  expect(rounds).toEqual([15_000, 15_000, 15_000]);
  expect(await left()).toEqual({
    ids: kept.map(({ id }) => id).sort(),
    keyed: kept.flatMap(({ id, idempotencyKey }) => (idempotencyKey === undefined ? [] : [id])).sort(),
  });
}, 60_000);

it('deletes what is large in turns of its own, and at most 20 in one', async () => {
  const input = 'x'.repeat(400_000);
  await write([
    ...Array.from({ length: 50 }, (_, n) => ended(`small${n}`, 40 * day)),
    ...Array.from({ length: 3 }, (_, n) => ended(`large${n}`, 50 * day, { input })),
  ]);
  const turns: number[] = [];
  let open = false;
  const commit: Store['commit'] = (operations, durability) => {
    if (open) turns.push((turns.pop() ?? 0) + 1);
    else turns.push(1);
    open = true;
    setImmediate(() => {
      open = false;
    });
    return store.commit(operations, durability);
  };
  const watched: Store = {
    get: (kind, id) => store.get(kind, id),
    list: (query) => store.list(query),
    heads: (query) => store.heads(query),
    history: (kind, id) => store.history(kind, id),
    close: () => store.close(),
    commit,
  };
  expect((await swept({ store: watched })).pruned).toBe(53);
  expect(turns).toEqual([20, 20, 11, 1, 1]);
});

it('keeps the newest of too many, whatever their age', async () => {
  await write(Array.from({ length: 250 }, (_, n) => ended(String(n).padStart(3, '0'), n * hour)));
  await write([ended('live', 300 * day, { state: 'queued' })]);
  expect(await swept({ count: 120 })).toEqual({ looked: 250, matched: 130, pruned: 130, spared: 0 });
  const { ids } = await left();
  expect(ids).toEqual([...Array.from({ length: 120 }, (_, n) => String(n).padStart(3, '0')), 'live']);
});

it('keeps one whose outcome is unknown for as long as its node may tell it, and one that is not told yet', async () => {
  const untold = ended('untold', 2 * hour);
  await write([
    untold,
    ended('unknown', 2 * hour, { state: 'outcome_unknown' }),
    ended('given up', resolutionMs + hour, { state: 'outcome_unknown' }),
    ended('failed', 2 * hour, { state: 'failed' }),
  ]);
  const live = new LiveDispatches();
  live.set(untold);
  expect(await swept({ live, ageMs: hour, count: 0 })).toEqual({
    looked: 4,
    matched: 4,
    pruned: 2,
    spared: 2,
  });
  expect((await left()).ids).toEqual(['unknown', 'untold']);
});

it('leaves one alone that changed after it was looked at', async () => {
  const record = ended('dp_1', resolutionMs + days30, { state: 'outcome_unknown', idempotencyKey: 'k' });
  await write([record, ended('dp_2', 60 * day)]);
  const resolved = toOperation('dispatch', record.deviceId, { ...record, version: 2, updatedAt: now });
  const late: Store = {
    get: (kind, id) => store.get(kind, id),
    list: (query) => store.list(query),
    heads: async (query) => {
      const page = await store.heads(query);
      await store.commit([resolved]);
      return page;
    },
    history: (kind, id) => store.history(kind, id),
    close: () => store.close(),
    commit: (operations, durability) => store.commit(operations, durability),
  };
  expect((await swept({ store: late })).pruned).toBe(1);
  expect(await left()).toEqual({ ids: ['dp_1'], keyed: ['dp_1'] });
});

it('deletes the entry of its own dispatch alone when several were created in the same millisecond', async () => {
  const at = now - 60 * day;
  const made = (id: string, updatedAt: number) =>
    ended(id, 0, { createdAt: at, updatedAt, idempotencyKey: id, deviceId: 'LABNODE' });
  await write(Array.from({ length: 12 }, (_, n) => made(`dp_${n}`, n === 7 ? at + 1 : now)));
  expect((await swept()).pruned).toBe(1);
  const { ids, keyed } = await left();
  expect(keyed).toEqual(ids);
  expect(ids).toHaveLength(11);
  expect(ids).not.toContain('dp_7');
});

it('goes on after a kill half way, with no key that has lost its dispatch', async () => {
  await write(history('h', 2_000));
  await store.close();
  const program = await childProgram(new URL('../../../test/support/prune-and-die.ts', import.meta.url));
  const child = program.start(file, '700');
  expect(await child.line()).toBeUndefined();
  await program.remove();
  store = await openStore(file);
  const half = await left();
  expect(half.ids.length).toBeLessThan(1_400);
  expect(half.ids.length).toBeGreaterThan(700);
  expect(half.keyed).toEqual(half.ids.filter((id) => Number(id.slice(1)) % 5 === 0));
  expect((await swept({ ageMs: hour })).pruned).toBe(half.ids.length);
  expect(await left()).toEqual({ ids: [], keyed: [] });
});

it('deletes only what ended as is wanted, keeps the newest of that, and counts without deleting when told to', async () => {
  await write([
    ...Array.from({ length: 6 }, (_, n) => ended(`failed${n}`, n * hour, { state: 'failed' })),
    ...Array.from({ length: 6 }, (_, n) => ended(`ok${n}`, n * hour)),
  ]);
  const rule = { states: ['failed'] as const, count: 2 };
  const counted = { looked: 6, matched: 4, spared: 0 };
  expect(await swept({ ...rule, dryRun: true })).toEqual({ ...counted, pruned: 0 });
  expect((await left()).ids).toHaveLength(12);
  expect(await swept(rule)).toEqual({ ...counted, pruned: 4 });
  expect((await left()).ids.filter((id) => id.startsWith('failed'))).toEqual(['failed0', 'failed1']);
});
