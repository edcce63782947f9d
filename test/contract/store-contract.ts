import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AppError } from '../../src/kernel/errors.js';
import type { ListQuery, PutOperation, Store, StoredRecord } from '../../src/kernel/store.js';

/** Opens the store under test on the same content each time, so that a second open sees what the first one wrote. */
export interface StoreHarness {
  open(): Promise<Store>;
  /** Whether content outlives the process. */
  readonly durable: boolean;
  dispose(): Promise<void>;
}

/** A put with everything but its id filled in. */
export function put(id: string, changes: Partial<PutOperation> = {}): PutOperation {
  const base = {
    op: 'put',
    kind: 'dispatch',
    expect: 0,
    state: 'queued',
    owner: '',
    createdAt: 0,
    updatedAt: 0,
  } as const;
  return { ...base, data: { id }, id, ...changes };
}

const ids = (records: readonly StoredRecord[]) => records.map((record) => record.id);

async function listAll(store: Store, query: ListQuery): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(cursor === undefined ? query : { ...query, cursor });
    found.push(...ids(page.records));
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

/** What every store must do. Run it against each adapter. */
export function storeContract(name: string, makeHarness: () => Promise<StoreHarness>): void {
  describe(`${name} keeps the store contract`, () => {
    let harness: StoreHarness;
    let store: Store;
    beforeEach(async () => {
      harness = await makeHarness();
      store = await harness.open();
    });
    afterEach(async () => {
      await store.close();
      await harness.dispose();
    });

    test('a record reads back as it was written, at version 1', async () => {
      const data = { text: 'grüß ☃ 🛰', nested: [1, 0.5, null, { deep: true }], gone: undefined };
      await store.commit([
        put('d1', { owner: 'dev', createdAt: 1_700_000_000_123, updatedAt: 1_700_000_000_456, data }),
      ]);
      expect(await store.get('dispatch', 'd1')).toStrictEqual({
        kind: 'dispatch',
        id: 'd1',
        version: 1,
        state: 'queued',
        owner: 'dev',
        createdAt: 1_700_000_000_123,
        updatedAt: 1_700_000_000_456,
        data: { text: 'grüß ☃ 🛰', nested: [1, 0.5, null, { deep: true }] },
      });
      expect(await store.get('device', 'd1')).toBeUndefined();
      expect(await store.get('dispatch', 'd2')).toBeUndefined();
    });

    test('each write raises the version and replaces the whole record', async () => {
      await store.commit([put('d1')]);
      await store.commit(
        [put('d1', { expect: 1, state: 'running', owner: 'dev', createdAt: 5, data: [2] })],
        'wal',
      );
      expect(await store.get('dispatch', 'd1')).toMatchObject({
        version: 2,
        state: 'running',
        owner: 'dev',
        createdAt: 5,
        data: [2],
      });
      expect(await listAll(store, { kind: 'dispatch', states: ['queued'] })).toEqual([]);
      expect(await listAll(store, { kind: 'dispatch', states: ['running'], owner: 'dev' })).toEqual(['d1']);
    });

    test.each([
      ['a first write of what exists', put('d1')],
      ['an old version', put('d1', { expect: 1 })],
      ['a version to come', put('d1', { expect: 3 })],
      ['a version of what is absent', put('d2', { expect: 1 })],
      ['a delete at an old version', { op: 'delete', kind: 'dispatch', id: 'd1', expect: 1 } as const],
      ['a delete of what is absent', { op: 'delete', kind: 'dispatch', id: 'd2', expect: 1 } as const],
    ])('%s is a conflict and changes nothing', async (_name, operation) => {
      await store.commit([put('d1')]);
      await store.commit([put('d1', { expect: 1, state: 'running' })]);
      await expect(store.commit([operation])).rejects.toMatchObject({
        code: 'store.conflict',
        category: 'conflict',
        retryable: true,
        details: { id: operation.id, expected: operation.expect, actual: operation.id === 'd1' ? 2 : 0 },
      });
      expect(await store.get('dispatch', 'd1')).toMatchObject({ version: 2, state: 'running' });
      expect(await store.get('dispatch', 'd2')).toBeUndefined();
    });

    test('a deleted record is gone and may be written anew', async () => {
      await store.commit([put('d1')]);
      await store.commit([{ op: 'delete', kind: 'dispatch', id: 'd1', expect: 1 }]);
      expect(await store.get('dispatch', 'd1')).toBeUndefined();
      expect(await listAll(store, { kind: 'dispatch' })).toEqual([]);
      await store.commit([put('d1', { state: 'again' })]);
      expect(await store.get('dispatch', 'd1')).toMatchObject({ version: 1, state: 'again' });
    });

    test('a change and the entry of the journal that says why are written together or not at all', async () => {
      const minted = { event: 'mint', by: 'operator:ada', from: '' };
      await store.commit([put('d1', { updatedAt: 7, journal: minted })]);
      await store.commit([put('d1', { expect: 1, state: 'quiet', updatedAt: 8 })]);
      const why = { event: 'cancel', by: 'operator:ada', from: 'quiet', note: 'grüß ☃' };
      const late = put('d1', { expect: 2, state: 'cancelled', updatedAt: 9, journal: why });
      await expect(store.commit([late, put('d2', { expect: 5 })])).rejects.toThrow();
      expect(await store.history('dispatch', 'd1')).toStrictEqual([
        { ...minted, version: 1, at: 7, to: 'queued' },
      ]);
      await store.commit([late]);
      await expect(store.commit([late])).rejects.toMatchObject({ code: 'store.conflict' });
      expect(await store.history('dispatch', 'd1')).toStrictEqual([
        { ...minted, version: 1, at: 7, to: 'queued' },
        { ...why, version: 3, at: 9, to: 'cancelled' },
      ]);
      expect(await store.history('device', 'd1')).toEqual([]);
      expect(await store.history('dispatch', 'd2')).toEqual([]);
    });

    test('a journal goes with its record, and a record written anew has none of it', async () => {
      const journal = { event: 'mint', by: 'system:daemon', from: '' };
      await store.commit([put('d1', { journal }), put('d2', { journal })]);
      await store.commit([{ op: 'delete', kind: 'dispatch', id: 'd1', expect: 1 }]);
      await store.commit([put('d1')]);
      expect(await store.history('dispatch', 'd1')).toEqual([]);
      expect(await store.history('dispatch', 'd2')).toHaveLength(1);
    });

    test('the latest 1,000 entries of a journal are read', async () => {
      const journal = { event: 'tick', by: 'its deadline', from: 'queued' };
      const ticks = Array.from({ length: 1_002 }, (_, n) => put('d1', { expect: n, updatedAt: n, journal }));
      await store.commit(ticks);
      const history = await store.history('dispatch', 'd1');
      expect(history.map((entry) => entry.version)).toEqual(
        Array.from({ length: 1_000 }, (_, index) => index + 3),
      );
    });

    test('operations of one commit apply in order, each seeing the one before', async () => {
      await store.commit([put('d1'), put('d1', { expect: 1, state: 'running' }), put('d2')]);
      expect(await store.get('dispatch', 'd1')).toMatchObject({ version: 2, state: 'running' });
      expect(await store.get('dispatch', 'd2')).toMatchObject({ version: 1 });
    });

    test('a conflict in the last operation undoes the whole commit', async () => {
      await store.commit([put('d1'), put('d3')]);
      const commit = store.commit([
        put('d1', { expect: 1, state: 'running' }),
        put('d2'),
        { op: 'delete', kind: 'dispatch', id: 'd3', expect: 1 },
        put('d1', { expect: 1, state: 'twice' }),
      ]);
      await expect(commit).rejects.toMatchObject({ code: 'store.conflict' });
      expect(await store.get('dispatch', 'd1')).toMatchObject({ version: 1, state: 'queued' });
      expect(await store.get('dispatch', 'd2')).toBeUndefined();
      expect(await store.get('dispatch', 'd3')).toMatchObject({ version: 1 });
    });

    test('a conflict fails its own commit and no other of the same turn', async () => {
      const outcomes = await Promise.allSettled([
        store.commit([put('d1')], 'wal'),
        store.commit([put('d2'), put('d1')], 'wal'),
        store.commit([put('d3'), put('d4')]),
        store.commit([put('d3', { expect: 2 })]),
        store.commit([put('d1', { expect: 1, state: 'running' })]),
      ]);
      expect(outcomes.map((outcome) => outcome.status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      expect(await listAll(store, { kind: 'dispatch' })).toEqual(['d1', 'd3', 'd4']);
      expect(await store.get('dispatch', 'd1')).toMatchObject({ version: 2, state: 'running' });
    });

    test('of many writers that expect the same version exactly one wins, the first to call', async () => {
      await store.commit([put('d1')]);
      const writers = Array.from({ length: 50 }, (_, n) => store.commit([put('d1', { expect: 1, data: n })]));
      const outcomes = await Promise.allSettled(writers);
      expect(outcomes.map((outcome) => outcome.status === 'fulfilled')).toEqual(
        outcomes.map((_, n) => n === 0),
      );
      expect(await store.get('dispatch', 'd1')).toMatchObject({ version: 2, data: 0 });
    });

    test('read, add one, write, again on conflict: no increment is lost', async () => {
      await store.commit([put('n', { data: 0 })]);
      const increment = async (): Promise<void> => {
        for (;;) {
          const record = await store.get('dispatch', 'n');
          const operation = put('n', { expect: record?.version ?? 0, data: Number(record?.data) + 1 });
          const lost = await store.commit([operation]).then(
            () => false,
            (error: AppError) => error.code === 'store.conflict',
          );
          if (!lost) return;
        }
      };
      await Promise.all(Array.from({ length: 20 }, increment));
      expect(await store.get('dispatch', 'n')).toMatchObject({ data: 20, version: 21 });
    });

    test('commits resolve in the order of their calls', async () => {
      const order: number[] = [];
      const commits = Array.from({ length: 20 }, (_, n) =>
        store.commit([put(`d${n}`)], n % 2 === 0 ? 'wal' : 'fsync').then(() => order.push(n)),
      );
      await Promise.all(commits);
      expect(order).toEqual(Array.from({ length: 20 }, (_, n) => n));
    });

    test('a commit is not visible before it resolves', async () => {
      const commit = store.commit([put('d1')]);
      expect(await store.get('dispatch', 'd1')).toBeUndefined();
      await commit;
      expect(await store.get('dispatch', 'd1')).toBeDefined();
    });

    test('what the caller changes after the call is not stored, and what it reads is its own', async () => {
      const data = { value: 'before' };
      const commit = store.commit([put('d1', { data })]);
      data.value = 'after';
      await commit;
      const first = await store.get('dispatch', 'd1');
      (first?.data as { value: string }).value = 'mine';
      expect((await store.get('dispatch', 'd1'))?.data).toEqual({ value: 'before' });
    });

    test('an empty commit resolves', async () => {
      await store.commit([put('d1')], 'wal');
      await store.commit([]);
      await store.commit([], 'wal');
      expect(await store.get('dispatch', 'd1')).toBeDefined();
    });

    test.each([
      ['data that is undefined', put('bad', { data: undefined })],
      ['data that JSON refuses', put('bad', { data: 1n })],
      ['a time that is no number', put('bad', { createdAt: Number.NaN })],
      ['a time with a fraction', put('bad', { updatedAt: 0.5 })],
      ['a negative version', put('bad', { expect: -1 })],
      ['an empty id', put('')],
      ['a delete without a version', { op: 'delete', kind: 'dispatch', id: 'bad', expect: 0 } as const],
    ])('%s is refused, and commits of the same turn are not harmed', async (_name, operation) => {
      const [bad, good] = await Promise.allSettled([store.commit([operation]), store.commit([put('good')])]);
      expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'store.bad_record' } });
      expect(good.status).toBe('fulfilled');
      expect(await listAll(store, { kind: 'dispatch' })).toEqual(['good']);
    });

    test('peer-named keys that mean something in JavaScript are only names', async () => {
      for (const name of ['__proto__', 'constructor', "'; DROP TABLE records; --"]) {
        await store.commit([put(name, { kind: name, state: name, owner: name })]);
        expect(await listAll(store, { kind: name, states: [name], owner: name })).toEqual([name]);
      }
      expect(await store.get('toString', 'toString')).toBeUndefined();
    });

    describe('lists', () => {
      beforeEach(async () => {
        await store.commit([
          put('e', { createdAt: 10, state: 'queued', owner: 'a' }),
          put('d', { createdAt: 10, state: 'running', owner: 'b' }),
          put('c', { createdAt: 20, state: 'succeeded', owner: 'a' }),
          put('b', { createdAt: 20, state: 'queued', owner: 'b' }),
          put('a', { createdAt: 30, state: 'running', owner: 'a' }),
          put('x', { kind: 'device', createdAt: 0, state: 'queued', owner: 'a' }),
        ]);
      });

      test.each<[string, Omit<ListQuery, 'kind'>, string]>([
        ['everything of a kind, by time then id', {}, 'debca'],
        ['descending', { order: 'descending' }, 'acbed'],
        ['one state', { states: ['queued'] }, 'eb'],
        ['two states, one named twice', { states: ['running', 'queued', 'running'] }, 'deba'],
        ['no state', { states: [] }, ''],
        ['an unknown state', { states: ['lost'] }, ''],
        ['an owner', { owner: 'a' }, 'eca'],
        ['nobody', { owner: '' }, ''],
        [
          'an owner and states, descending',
          { owner: 'a', states: ['queued', 'running'], order: 'descending' },
          'ae',
        ],
        ['since a time, which is included', { since: 20 }, 'bca'],
        ['since a time, descending', { since: 20, order: 'descending' }, 'acb'],
        ['until a time, which is not included', { until: 20 }, 'de'],
        ['between two times, descending', { since: 20, until: 30, order: 'descending' }, 'cb'],
      ])('%s', async (_name, query, expected) => {
        const whole = await store.list({ kind: 'dispatch', ...query });
        expect(ids(whole.records).join('')).toBe(expected);
        expect(whole.next).toBeUndefined();
        for (const limit of [1, 2, 3, 5]) {
          expect((await listAll(store, { kind: 'dispatch', ...query, limit })).join('')).toBe(expected);
        }
      });

      test('heads are the same records without their data, with its size and the same cursors', async () => {
        const data = { text: 'grüß ☃' };
        await store.commit([put('f', { createdAt: 40, data })]);
        for (const order of ['ascending', 'descending'] as const) {
          const query = { kind: 'dispatch', states: ['queued', 'running'], order, limit: 2 };
          const records = await store.list(query);
          const heads = await store.heads({ ...query });
          expect(heads.next).toBe(records.next);
          expect(heads.records).toEqual(
            records.records.map(({ data, ...head }) => ({
              ...head,
              bytes: Buffer.byteLength(JSON.stringify(data)),
            })),
          );
          const rest = await store.heads({ ...query, cursor: heads.next ?? '' });
          expect(rest.records).toHaveLength(2);
        }
        const [latest] = (await store.heads({ kind: 'dispatch', order: 'descending', limit: 1 })).records;
        expect(latest?.bytes).toBe(Buffer.byteLength(JSON.stringify(data)));
        await expect(store.heads({ kind: 'dispatch', limit: 0 })).rejects.toMatchObject({
          code: 'store.bad_query',
        });
      });

      test('a cursor goes on where it was, whatever was written meanwhile', async () => {
        const first = await store.list({ kind: 'dispatch', limit: 2 });
        expect(ids(first.records)).toEqual(['d', 'e']);
        await store.commit([
          put('early', { createdAt: 1 }),
          put('late', { createdAt: 40 }),
          { op: 'delete', kind: 'dispatch', id: 'e', expect: 1 },
        ]);
        const rest = await store.list({ kind: 'dispatch', cursor: first.next ?? '' });
        expect(ids(rest.records)).toEqual(['b', 'c', 'a', 'late']);
      });

      test('a cursor that this list did not give out is refused', async () => {
        const { next = '' } = await store.list({ kind: 'dispatch', limit: 1 });
        const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const bad = [
          '',
          'x',
          '%%%',
          `${next}=`,
          'A'.repeat(5000),
          encode(null),
          encode([1, 'dispatch', 'ascending', 'x', 1]),
        ];
        for (const cursor of bad) {
          await expect(store.list({ kind: 'dispatch', cursor }), cursor).rejects.toMatchObject({
            code: 'store.bad_cursor',
            category: 'validation',
          });
        }
        await expect(store.list({ kind: 'device', cursor: next })).rejects.toMatchObject({
          code: 'store.bad_cursor',
        });
        await expect(
          store.list({ kind: 'dispatch', order: 'descending', cursor: next }),
        ).rejects.toMatchObject({
          code: 'store.bad_cursor',
        });
      });

      test.each([{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { since: Number.NaN }, { until: 0.5 }])(
        '%o is refused',
        async (query) => {
          await expect(store.list({ kind: 'dispatch', ...query })).rejects.toMatchObject({
            code: 'store.bad_query',
          });
        },
      );
    });

    test('lists agree with a plain sort and filter on random content', async () => {
      const letter = fc.constantFrom('a', 'b', 'c');
      const record = fc.record({
        id: fc.constantFrom('k', 'K', 'é', '\u{1F600}', '\uFFFD', 'z0', 'z', '10', '9'),
        state: letter,
        owner: letter,
        createdAt: fc.integer({ min: -2, max: 2 }),
      });
      const query = fc.record(
        {
          states: fc.array(letter, { maxLength: 3 }),
          owner: letter,
          since: fc.integer({ min: -2, max: 2 }),
          until: fc.integer({ min: -2, max: 3 }),
          order: fc.constantFrom('ascending' as const, 'descending' as const),
          limit: fc.integer({ min: 1, max: 4 }),
        },
        { requiredKeys: [] },
      );
      let round = 0;
      const records = fc.uniqueArray(record, { selector: (each) => each.id, maxLength: 9 });
      await fc.assert(
        fc.asyncProperty(records, query, async (content, filter) => {
          round += 1;
          const kind = `kind-${round}`;
          await store.commit(
            content.map((each) => put(each.id, { ...each, kind })),
            'wal',
          );
          const expected = content
            .filter((each) => filter.states?.includes(each.state) ?? true)
            .filter(
              (each) =>
                (filter.owner ?? each.owner) === each.owner &&
                each.createdAt >= (filter.since ?? -2) &&
                each.createdAt < (filter.until ?? 3),
            )
            .sort((a, b) => a.createdAt - b.createdAt || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)))
            .map((each) => each.id);
          if (filter.order === 'descending') expected.reverse();
          expect(await listAll(store, { kind, ...filter })).toEqual(expected);
        }),
        { numRuns: 60 },
      );
    });

    test('close writes what waits, then everything is refused', async () => {
      const commit = store.commit([put('d1')]);
      await store.close();
      await commit;
      await store.close();
      const closed = { code: 'store.closed', category: 'unavailable' };
      await expect(store.get('dispatch', 'd1')).rejects.toMatchObject(closed);
      await expect(store.list({ kind: 'dispatch' })).rejects.toMatchObject(closed);
      await expect(store.commit([])).rejects.toMatchObject(closed);
      if (!harness.durable) return;
      store = await harness.open();
      expect(await store.get('dispatch', 'd1')).toMatchObject({ version: 1, data: { id: 'd1' } });
    });
  });
}

/** What every store must do once it can't write. `open` gives one whose next commit fails. */
export function failedStoreContract(
  name: string,
  open: (onFailure: (error: AppError) => void) => Promise<{ store: Store; dispose: () => Promise<void> }>,
): void {
  test(`${name} refuses everything after a failed write, and says so once`, async () => {
    const failures: AppError[] = [];
    const { store, dispose } = await open((error) => failures.push(error));
    const failed = { code: 'store.failed', category: 'internal', retryable: false };
    const outcomes = await Promise.allSettled([store.commit([put('d1')]), store.commit([put('d2')], 'wal')]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: failed });
    await expect(store.commit([put('d3')])).rejects.toMatchObject(failed);
    await expect(store.get('dispatch', 'd1')).rejects.toMatchObject(failed);
    await expect(store.list({ kind: 'dispatch' })).rejects.toMatchObject(failed);
    expect(failures).toMatchObject([failed]);
    await store.close();
    await dispose();
  });
}
