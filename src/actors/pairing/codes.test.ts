import { expect, it } from 'vitest';
import { silent } from '../../../test/model/samples.js';
import { FailingStore } from '../../adapters/store/failing.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { verifiedCaller } from '../../kernel/authority.js';
import { Deadlines } from '../../kernel/deadlines.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import type { Store } from '../../kernel/store.js';
import { joinKeyFromSecret } from '../identity/join-string.js';
import { transact } from '../records.js';
import { PairingCodes } from './codes.js';

const ada = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });

async function open(store: Store, clock: SimulatedClock) {
  const deadlines = new Deadlines(clock, silent);
  const opened = await PairingCodes.open({ store, clock, deadlines, log: silent });
  let attempts = 0;
  return {
    /** Charges a new attempt. */
    charge: (codeId: string) => {
      attempts += 1;
      return opened.charge(codeId, { attemptId: String(attempts), address: '192.0.2.1' });
    },
    /** Accepts the attempt that was charged last. */
    accept: (codeId: string, deviceId: string) => opened.accept(codeId, String(attempts), deviceId),
    mintJoin: opened.mintJoin.bind(opened),
    use: opened.use.bind(opened),
  };
}

async function make(store: Store = new MemoryStore()) {
  const clock = new SimulatedClock();
  const codes = await open(store, clock);
  const { code, secret } = await codes.mintJoin(ada, { ttlMs: 600_000, purpose: 'lab', labels: { a: 'b' } });
  return { store, clock, codes, id: code.id, code, secret: secret.reveal() };
}

it('keeps nothing of a join string that could be used as one', async () => {
  const { store, secret, code } = await make();
  const stored = JSON.stringify(await store.get('pairing-code', code.id));
  for (const form of ['hex', 'base64', 'base64url'] as const)
    expect(stored).not.toContain(secret.toString(form));
  expect(code.joinKey).toBe(joinKeyFromSecret(secret).publicKey.toString('base64url'));
  expect(code.mintedBy).toBe('operator:ada');
});

it.each([29_999, 24 * 3_600_000 + 1, Number.NaN])('refuses a lifetime of %s ms', async (ttlMs) => {
  const { codes } = await make();
  await expect(codes.mintJoin(ada, { ttlMs, purpose: '', labels: {} })).rejects.toMatchObject({
    code: 'pairing.invalid_request',
    fields: [{ field: 'ttlMs' }],
  });
});

it('has each charge on disk before it gives the code out', async () => {
  const { store, codes, id } = await make();
  const charged = await codes.charge(id);
  expect(charged?.charges).toHaveLength(1);
  expect((await store.get('pairing-code', id))?.data).toMatchObject({
    charges: [{ address: '192.0.2.1', at: expect.any(Number) }],
  });
});

it('gives no code out when the charge can’t be written', async () => {
  const { codes, id } = await make(new FailingStore(new MemoryStore(), { after: 1 }));
  await expect(codes.charge(id)).rejects.toMatchObject({ code: 'store.failed' });
});

it('ends after five wrong proofs, also for the right one and after a restart', async () => {
  const { store, clock, codes, id } = await make();
  for (let i = 1; i <= 5; i++) expect((await codes.charge(id))?.charges).toHaveLength(i);
  expect(await codes.charge(id)).toBeUndefined();
  expect((await store.get('pairing-code', id))?.state).toBe('exhausted');
  await expect(codes.accept(id, 'A')).rejects.toMatchObject({ code: 'pairing.code_refused' });
  const reopened = await open(store, clock);
  expect(await reopened.charge(id)).toBeUndefined();
});

it('lets no more than five of any number of parallel proofs through', async () => {
  const { codes, id } = await make();
  const charged = await Promise.all(Array.from({ length: 32 }, () => codes.charge(id)));
  const through = charged.filter((code) => code !== undefined);
  expect(through.map((code) => code.charges.length).sort()).toEqual([1, 2, 3, 4, 5]);
});

it('answers for an unknown code as for a dead one', async () => {
  const { codes } = await make();
  expect(await codes.charge('pc_unknown')).toBeUndefined();
});

it.each([
  ['the wall clock', (clock: SimulatedClock) => clock.setWallTime(clock.now() + 600_000)],
  [
    'monotonic time, though the wall clock was set back',
    (clock: SimulatedClock) => {
      clock.advance(600_000);
      clock.setWallTime(clock.now() - 600_000);
    },
  ],
])('ends by %s', async (_name, pass) => {
  const { clock, codes, id } = await make();
  expect(await codes.charge(id)).toBeDefined();
  pass(clock);
  expect(await codes.charge(id)).toBeUndefined();
});

it('lives no longer than it was minted for after a restart by which the wall clock was set back', async () => {
  const { store, clock, id } = await make();
  clock.setWallTime(clock.now() - 86_400_000);
  const reopened = await open(store, clock);
  clock.advance(599_000);
  expect(await reopened.charge(id)).toBeDefined();
  clock.advance(1_000);
  expect(await reopened.charge(id)).toBeUndefined();
});

it('belongs to the first device that proves it, and a right proof costs nothing', async () => {
  const { codes, id } = await make();
  for (let i = 0; i < 12; i++) {
    expect((await codes.charge(id))?.charges).toHaveLength(1);
    await codes.accept(id, 'A');
  }
  await codes.charge(id);
  await expect(codes.accept(id, 'B')).rejects.toMatchObject({ code: 'pairing.code_refused' });
  expect(await codes.charge(id)).toMatchObject({ boundTo: 'A', charges: [{}, {}] });
});

it('binds one device when two prove it at once', async () => {
  const { codes, id } = await make();
  await Promise.all([codes.charge(id), codes.charge(id)]);
  const outcomes = await Promise.allSettled([codes.accept(id, 'A'), codes.accept(id, 'B')]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected']);
});

it('stays used when a proof that was under way is accepted after the approval', async () => {
  const { store, codes, id } = await make();
  await codes.charge(id);
  await codes.accept(id, 'A');
  await codes.charge(id);
  await transact(store, () => ({ changes: codes.use(id), result: undefined }));
  await expect(codes.accept(id, 'A')).rejects.toMatchObject({ code: 'pairing.code_refused' });
  expect((await store.get('pairing-code', id))?.state).toBe('used');
  expect(await codes.charge(id)).toBeUndefined();
});
