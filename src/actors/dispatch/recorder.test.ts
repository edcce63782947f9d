import { expect, it } from 'vitest';
import { sampleDispatch, silent } from '../../../test/model/samples.js';
import { FailingStore } from '../../adapters/store/failing.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import type { Durability, PutOperation, Store, StoreOperation } from '../../kernel/store.js';
import { barrierMs, DispatchRecorder, lingerMs } from './recorder.js';

/** Notes what is asked of the store it stands before. */
function watched(inner: Store) {
  const commits: { readonly rows: readonly string[]; readonly durability: Durability | undefined }[] = [];
  const store: Store = {
    get: (kind, id) => inner.get(kind, id),
    list: (query) => inner.list(query),
    heads: (query) => inner.heads(query),
    history: (kind, id) => inner.history(kind, id),
    close: () => inner.close(),
    commit: (operations: readonly StoreOperation[], durability) => {
      const rows = operations.map(
        (one) => `${one.id}@${one.expect} ${one.op === 'put' ? one.state : 'deleted'}`,
      );
      commits.push({ rows, durability });
      return inner.commit(operations, durability);
    },
  };
  return { store, commits };
}

function make(inner: Store = new MemoryStore()) {
  const clock = new SimulatedClock();
  const { store, commits } = watched(inner);
  const failures: unknown[] = [];
  const deadlines = new Deadlines(clock, silent);
  const recorder = new DispatchRecorder({ store, deadlines, failed: (error) => failures.push(error) });
  return { clock, commits, failures, recorder, inner };
}

const key: PutOperation = {
  op: 'put',
  kind: 'idempotency',
  id: 'k',
  expect: 0,
  state: '',
  owner: '',
  createdAt: 0,
  updatedAt: 0,
  data: {},
};

it('writes one row for a dispatch that ends before it was due', async () => {
  const { clock, commits, recorder } = make();
  recorder.later(sampleDispatch());
  recorder.later(sampleDispatch({ state: 'dispatched' }));
  await recorder.last(sampleDispatch({ state: 'succeeded' }), 'wal', () => undefined);
  await clock.advanceAsync(20);
  expect(commits).toEqual([{ rows: ['dp_1@0 succeeded'], durability: 'wal' }]);
});

it('gathers what lingers into one commit, each with its latest value', async () => {
  const { clock, commits, recorder } = make();
  recorder.later(sampleDispatch());
  recorder.later(sampleDispatch({ id: 'dp_2' }));
  recorder.later(sampleDispatch({ state: 'running' }));
  await clock.advanceAsync(lingerMs - 1);
  expect(commits).toEqual([]);
  await clock.advanceAsync(1);
  expect(commits).toEqual([{ rows: ['dp_1@0 running', 'dp_2@0 queued'], durability: 'wal' }]);
});

it('counts versions over all ways to write, and from what is on disk', async () => {
  const { clock, commits, recorder, inner } = make();
  await recorder.now(sampleDispatch(), 'fsync');
  recorder.later(sampleDispatch({ state: 'dispatched' }));
  await clock.advanceAsync(lingerMs);
  await recorder.last(sampleDispatch({ state: 'failed' }), 'fsync', () => undefined);
  expect(commits.map((commit) => commit.rows[0])).toEqual([
    'dp_1@0 queued',
    'dp_1@1 dispatched',
    'dp_1@2 failed',
  ]);
  const again = make(inner);
  again.recorder.adopt(sampleDispatch({ version: 3 }));
  await again.recorder.last(sampleDispatch({ state: 'outcome_unknown' }), 'fsync', () => undefined);
  expect((await inner.get('dispatch', 'dp_1'))?.version).toBe(4);
});

it('acks what was written to the log only after an fsync, all in one', async () => {
  const { clock, commits, recorder } = make();
  const acked: string[] = [];
  for (const id of ['dp_1', 'dp_2']) {
    await recorder.last(sampleDispatch({ id, state: 'succeeded' }), 'wal', () => acked.push(id));
  }
  await clock.advanceAsync(barrierMs - 1);
  expect(acked).toEqual([]);
  await clock.advanceAsync(1);
  expect(acked).toEqual(['dp_1', 'dp_2']);
  expect(commits.at(-1)).toEqual({ rows: [], durability: 'fsync' });
});

it('acks at once what was written with an fsync of its own', async () => {
  const { recorder } = make();
  const acked: string[] = [];
  await recorder.last(sampleDispatch({ state: 'succeeded' }), 'fsync', () => acked.push('dp_1'));
  expect(acked).toEqual(['dp_1']);
});

it('writes a record with its key or not at all', async () => {
  const { recorder, failures, inner } = make();
  await recorder.now(sampleDispatch(), 'fsync', [key]);
  await expect(recorder.now(sampleDispatch({ id: 'dp_2' }), 'fsync', [key])).rejects.toMatchObject({
    code: 'store.conflict',
  });
  expect(await inner.get('dispatch', 'dp_2')).toBeUndefined();
  expect(failures).toEqual([]);
});

it('flushes what lingers and every ack for an orderly end', async () => {
  const { recorder, inner } = make();
  const acked: string[] = [];
  recorder.later(sampleDispatch({ state: 'running' }));
  await recorder.last(sampleDispatch({ id: 'dp_2', state: 'succeeded' }), 'wal', () => acked.push('dp_2'));
  await recorder.flush();
  expect(acked).toEqual(['dp_2']);
  expect((await inner.get('dispatch', 'dp_1'))?.state).toBe('running');
});

it('reports a disk that fails and acks nothing from then on', async () => {
  const { clock, recorder, failures } = make(new FailingStore(new MemoryStore(), { after: 1 }));
  const acked: string[] = [];
  await recorder.last(sampleDispatch({ state: 'succeeded' }), 'wal', () => acked.push('dp_1'));
  await clock.advanceAsync(barrierMs);
  expect(failures).toMatchObject([{ code: 'store.failed' }]);
  await expect(
    recorder.last(sampleDispatch({ id: 'dp_2', state: 'failed' }), 'fsync', () => acked.push('dp_2')),
  ).rejects.toMatchObject({ code: 'store.failed' });
  recorder.later(sampleDispatch({ id: 'dp_3' }));
  await clock.advanceAsync(2 * barrierMs);
  expect(acked).toEqual([]);
  expect(failures).toHaveLength(3);
});
