import { expect, it } from 'vitest';
import { sampleSubject, start } from '../../../test/model/samples.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { DecisionJournal } from './decisions.js';
import { permission } from './permission.js';

const facts = { dispatchId: 'dp_1', descriptorDigest: 'd', build: 'b1' } as const;

it('keeps who asked for what, what came of it, and by whose word', async () => {
  const journal = new DecisionJournal(new MemoryStore());
  const until = start + 60_000;
  await journal.note(sampleSubject(), { kind: 'withdrawn' }, start);
  await journal.note(sampleSubject({ dispatchId: 'dp_2' }), { kind: 'denied' }, start + 1);
  const allowed = permission({ ...facts, by: 'remembered', until });
  await journal.note(sampleSubject(), { kind: 'allowed', permission: allowed }, start + 2);
  const about = { capability: 'open', plugin: 'lab', build: 'b1', caller: 'operator:ada' };
  expect(await journal.latest(10)).toEqual([
    {
      ...about,
      dispatchId: 'dp_1',
      at: start + 2,
      decision: 'allowed',
      by: 'remembered',
      value: 'https://example.com',
      until,
    },
    { ...about, dispatchId: 'dp_2', at: start + 1, decision: 'denied' },
  ]);
});

it('keeps the latest thousand, and a hundred more at most', async () => {
  const store = new MemoryStore();
  const journal = new DecisionJournal(store);
  for (let n = 0; n < 1_210; n++) {
    await journal.note(sampleSubject({ dispatchId: `dp_${n}` }), { kind: 'denied' }, start + n);
  }
  const { records, next } = await store.heads({ kind: 'decision', limit: 1_000 });
  const rest =
    next === undefined ? [] : (await store.heads({ kind: 'decision', limit: 1_000, cursor: next })).records;
  expect(records.length + rest.length).toBeLessThanOrEqual(1_101);
  expect((await journal.latest(1))[0]?.dispatchId).toBe('dp_1209');
  expect(await store.get('decision', 'dp_0')).toBeUndefined();
});
