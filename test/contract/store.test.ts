import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { FailingStore } from '../../src/adapters/store/failing.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { openStore } from '../../src/adapters/store/sqlite/sqlite-store.js';
import type { Store } from '../../src/kernel/store.js';
import { type ChildProgram, childProgram } from '../support/child-program.js';
import { failedStoreContract, put, storeContract } from './store-contract.js';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palyra-store-'));
  file = join(directory, 'state', 'state.db');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const nothing = async () => {};
storeContract('SQLite', async () => ({ open: () => openStore(file), durable: true, dispose: nothing }));
storeContract('memory', async () => ({
  open: async () => new MemoryStore(),
  durable: false,
  dispose: nothing,
}));
storeContract('failing, before it fails, over memory', async () => ({
  open: async () => new FailingStore(new MemoryStore(), { after: 1_000 }),
  durable: false,
  dispose: nothing,
}));

failedStoreContract('failing', async (onFailure) => ({
  store: new FailingStore(new MemoryStore(), { onFailure }),
  dispose: nothing,
}));
failedStoreContract('SQLite whose table is lost', async (onFailure) => {
  const store = await openStore(file, { onFailure });
  const other = new Database(file);
  other.exec('DROP TABLE records');
  other.close();
  return { store, dispose: nothing };
});

test('a failing store works until its count is used up', async () => {
  const store = new FailingStore(new MemoryStore(), { after: 2 });
  await store.commit([put('d1')]);
  await store.commit([put('d2')]);
  expect(await store.get('dispatch', 'd2')).toBeDefined();
  await expect(store.commit([put('d3')])).rejects.toMatchObject({ code: 'store.failed' });
});

describe('the SQLite file', () => {
  const walSize = async () => (await stat(`${file}-wal`)).size;

  test('is readable by its owner only, with its side files and its directory', async () => {
    const store = await openStore(file);
    await store.commit([put('d1')]);
    expect((await stat(join(directory, 'state'))).mode & 0o777).toBe(0o700);
    for (const path of [file, `${file}-wal`, `${file}-shm`]) {
      expect((await stat(path)).mode & 0o777, path).toBe(0o600);
    }
    await store.close();
  });

  test('commits of one turn are one transaction, and a conflict among them adds none', async () => {
    const store = await openStore(file);
    await store.commit([put('first')]);
    const before = await transactions(`${file}-wal`);
    const group = Array.from({ length: 50 }, (_, n) => store.commit([put(`d${n}`), put(`e${n % 49}`)]));
    const outcomes = await Promise.allSettled(group);
    expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toHaveLength(1);
    expect(await transactions(`${file}-wal`)).toBe(before + 1);
    await store.commit([put('alone')]);
    expect(await transactions(`${file}-wal`)).toBe(before + 2);
    await store.close();
  });

  test('a group is synced when any of its commits asks for it, and only then', async () => {
    const store = await openStore(file);
    const pragma = vi.spyOn(Database.prototype, 'pragma');
    const levels = () =>
      pragma.mock.calls.map(([source]) => source).filter((source) => /^synchronous/.test(source));
    await store.commit([put('d1')], 'wal');
    expect(levels()).toEqual([]);
    await Promise.all([store.commit([put('d2')], 'wal'), store.commit([put('d3')], 'fsync')]);
    expect(levels()).toEqual(['synchronous = FULL']);
    await store.commit([put('d4')], 'wal');
    expect(levels()).toEqual(['synchronous = FULL', 'synchronous = NORMAL']);
    pragma.mockRestore();
    await store.close();
  });

  test('an empty fsync commit syncs what was only logged, and costs nothing when all is synced', async () => {
    const store = await openStore(file);
    await store.commit([put('d1')], 'wal');
    const logged = await walSize();
    await store.commit([], 'fsync');
    const synced = await walSize();
    expect(synced).toBeGreaterThan(logged);
    await store.commit([], 'fsync');
    expect(await walSize()).toBe(synced);
    await store.close();
  });

  test('a corrupt one is refused, kept as it is, and the error says what to run', async () => {
    const store = await openStore(file);
    await store.commit(Array.from({ length: 300 }, (_, n) => put(`d${n}`, { data: 'x'.repeat(100) })));
    await store.close();
    const bytes = await readFile(file);
    bytes.fill(0xa5, 8192, bytes.length - 4096);
    await writeFile(file, bytes);
    const errors: string[] = [];
    const log = { info: () => {}, error: (_details: object, message: string) => errors.push(message) };
    await expect(openStore(file, { log })).rejects.toMatchObject({
      code: 'store.corrupt',
      category: 'precondition',
      message: expect.stringContaining(file),
      hint: expect.stringContaining('palyra restore FILE --force'),
    });
    expect(errors).toHaveLength(1);
    expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
  });

  test('one that is no database is refused and kept', async () => {
    await openStore(file).then((store) => store.close());
    await writeFile(file, 'name,age\n'.repeat(1000));
    await expect(openStore(file)).rejects.toMatchObject({ code: 'store.wrong_file' });
    expect(await readFile(file, 'utf8')).toBe('name,age\n'.repeat(1000));
  });

  test('one of another program is refused and kept', async () => {
    await openStore(file).then((store) => store.close());
    await rm(file);
    const other = new Database(file);
    other.exec('CREATE TABLE songs (title TEXT)');
    other.close();
    const bytes = await readFile(file);
    await expect(openStore(file)).rejects.toMatchObject({
      code: 'store.wrong_file',
      message: expect.stringContaining('another program'),
    });
    expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
  });

  test('one of a newer schema is refused, naming both versions', async () => {
    await openStore(file).then((store) => store.close());
    const newer = new Database(file);
    newer.pragma('user_version = 99');
    newer.close();
    await expect(openStore(file)).rejects.toMatchObject({
      code: 'store.newer_schema',
      category: 'precondition',
      message: expect.stringMatching(/schema version 99.*up to 2/),
    });
    const kept = new Database(file);
    expect(kept.pragma('user_version', { simple: true })).toBe(99);
    kept.close();
  });

  test('one of the first schema is brought up to date and keeps its records', async () => {
    await openStore(file).then(async (store) => {
      await store.commit([put('d1')]);
      await store.close();
    });
    const old = new Database(file);
    old.exec('DROP TABLE journal');
    old.pragma('user_version = 1');
    old.close();
    const store = await openStore(file);
    const journal = { event: 'deliver', by: 'device:x', from: 'queued' };
    await store.commit([put('d1', { expect: 1, journal })]);
    expect(await store.history('dispatch', 'd1')).toHaveLength(1);
    await store.close();
  });

  test('a path that is no file is refused', async () => {
    await expect(openStore(directory)).rejects.toMatchObject({ code: 'store.unreadable' });
  });

  test('lists read only what they return, from an index', async () => {
    const store = await openStore(file);
    await store.commit([put('d1')]);
    const reader = new Database(file, { readonly: true });
    const plan = (where: string) =>
      JSON.stringify(
        reader
          .prepare(
            `EXPLAIN QUERY PLAN SELECT created_at, id FROM records WHERE kind = 'k' AND ${where}
             AND (created_at, id) > (0, '') AND created_at >= 0 ORDER BY created_at, id LIMIT 3`,
          )
          .all(),
      );
    expect(plan("state = 's'")).toMatch(
      /COVERING INDEX records_by_state \(kind=\? AND state=\? AND \(created_at,id\)>/,
    );
    expect(plan("owner = 'o' AND state = 's'")).toMatch(/COVERING INDEX records_by_owner/);
    expect(plan("state = 's'")).not.toContain('TEMP B-TREE');
    reader.close();
    await store.close();
  });
});

describe('kill -9 in the middle of commits', () => {
  let program: ChildProgram;
  beforeAll(async () => {
    program = await childProgram(new URL('store-crash-child.ts', import.meta.url));
  });
  afterAll(() => program.remove());

  test('everything acknowledged is there, nothing by halves, and the file is sound', async () => {
    const acknowledged = new Set<string>();
    for (const round of [0, 1, 2]) {
      const child = program.start(file, String(round * 1_000_000));
      let left = 150 + 70 * round;
      for (let line = await child.line(); line !== undefined; line = await child.line()) {
        acknowledged.add(line);
        left -= 1;
        if (left === 0) child.process.kill('SIGKILL');
      }
      await child.kill();
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(660);
    const store = await openStore(file);
    const [left, right] = await Promise.all([allIds(store, 'left'), allIds(store, 'right')]);
    expect(left).toEqual(right);
    const lost = [...acknowledged].filter((id) => !left.includes(id));
    expect(lost).toEqual([]);
    for (const id of left) {
      const entry = { version: 1, at: Number(id), event: 'write', by: 'system:test', from: '', to: 'queued' };
      expect(await store.history('right', id)).toEqual([entry]);
    }
    await store.close();
  });
});

/** How many transactions a write-ahead log holds: a frame that ends one names the size of the database after it. */
async function transactions(path: string): Promise<number> {
  const wal = await readFile(path);
  const frame = 24 + wal.readUInt32BE(8);
  const salt = wal.readBigUInt64BE(16);
  let count = 0;
  for (let at = 32; at < wal.length && wal.readBigUInt64BE(at + 8) === salt; at += frame) {
    if (wal.readUInt32BE(at + 4) > 0) count += 1;
  }
  return count;
}

async function allIds(store: Store, kind: string): Promise<string[]> {
  const first = await store.list({ kind, limit: 1000 });
  const ids = first.records.map((record) => record.id);
  for (let next = first.next; next !== undefined; ) {
    const page = await store.list({ kind, limit: 1000, cursor: next });
    ids.push(...page.records.map((record) => record.id));
    next = page.next;
  }
  return ids;
}
