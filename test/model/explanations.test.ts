import { afterEach, beforeEach, expect, it } from 'vitest';
import { sendToDispatch, sendToPairing } from '../../src/actors/addresses.js';
import type { DeviceRecord } from '../../src/actors/device/record.js';
import type { DispatchRecord } from '../../src/actors/dispatch/record.js';
import { newId } from '../../src/actors/ids.js';
import { toOperation } from '../../src/actors/records.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { tokens } from '../../src/daemon/tokens.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { type RootHandle, startRoot } from '../../src/kernel/kernel.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { Catalog } from '../../src/plugins/catalog.js';
import { ValidatorCache } from '../../src/plugins/validators.js';
import { modelDaemon } from '../../src/testing/memory-daemon.js';
import { MemoryRevocations } from '../../src/testing/memory-revocations.js';
import { turns } from '../../src/testing/process-life.js';
import { sampleDispatch, sampleFacts, samplePairing, sampleResult, start } from './samples.js';

/** The real actors of a daemon over a memory store; the catalog throws when it is asked, which crashes a dispatch. */
class BrokenCatalog extends Catalog {
  override get(): never {
    throw new Error('the catalog is broken');
  }
}

const ada = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
const lab: DeviceRecord = {
  id: 'LABNODE',
  version: 1,
  state: 'trusted',
  name: 'lab',
  identityKey: '',
  labels: {},
  facts: sampleFacts,
  certificates: [
    { fingerprint: 'f', issuer: 'ca', serial: '1', notBefore: start, notAfter: start + 86_400_000 },
  ],
  approvals: [],
  offered: [],
  epoch: 1,
  ticket: {},
  clones: [],
  alerts: [],
  decisions: [],
  createdAt: start,
  updatedAt: start,
};
const dispatchId = newId('dp', start);
const pairingId = newId('pr', start);

async function daemon(dispatch: Partial<DispatchRecord> = {}) {
  const clock = new SimulatedClock(start);
  const store = new MemoryStore();
  const cause = { event: 'approve', by: 'operator:ada', from: '' };
  await store.commit([
    toOperation('device', lab.id, lab, cause),
    toOperation('dispatch', lab.id, { ...sampleDispatch(dispatch), id: dispatchId, version: 1 }),
    toOperation(
      'pairing',
      lab.id,
      samplePairing({ id: pairingId, state: 'approved', purpose: 'a rack' }),
      cause,
    ),
  ]);
  const { kernel, container, devices, tree } = await modelDaemon({
    clock,
    store,
    revocations: new MemoryRevocations(),
    catalog: new BrokenCatalog(new ValidatorCache()),
    storeFailed: (error) => expect(error).toBeUndefined(),
  });
  let ready = false;
  const recovered = (): void => {
    ready = true;
  };
  const root = startRoot(kernel, tree(recovered));
  while (!ready) await turns(1);
  const { explanations } = container.resolve(tokens.control);
  return { clock, kernel, root, devices, explain: (subject: string) => explanations.explain(ada, subject) };
}

let roots: RootHandle[] = [];
beforeEach(() => {
  roots = [];
});
afterEach(async () => {
  for (const root of roots) await root.shutdown('test', 0);
});

it('says of a dispatch for an offline node what it waits for, who may end it and when it ends by itself', async () => {
  const { explain, root } = await daemon();
  roots.push(root);
  expect(await explain(dispatchId)).toMatchObject({
    kind: 'dispatch',
    title: 'echo on lab',
    state: 'queued',
    actorState: 'queued',
    ended: false,
    since: start,
    description: 'It waits for its node to connect, or for what that offers to be approved',
    notes: [
      'Node lab is offline, never seen',
      'operator:ada asked for it; it may run for 30s',
      'It may be started more than once',
    ],
    history: [{ event: 'create', by: 'operator:ada', from: '', to: 'queued' }],
    next: { at: start + 60_000, label: 'deliver by', leadsTo: [expect.stringContaining('expired')] },
  });
});

it('tells of both crashes of a dispatch, and of its truthful end', async () => {
  const { explain, kernel, root } = await daemon({ state: 'dispatched', sentInEpoch: 1 });
  roots.push(root);
  const crash = async (): Promise<void> => {
    const result = sampleResult({ dispatchId });
    expect(sendToDispatch(kernel.directory, dispatchId, { type: 'result', result })).toBe(true);
    await turns(3);
  };
  await crash();
  const crashed = { event: 'crashed', by: 'system:daemon', note: 'the catalog is broken' };
  const once = await explain(dispatchId);
  expect(once).toMatchObject({ state: 'dispatched', actorState: 'dispatched' });
  expect(once.history.at(-1)).toMatchObject({ ...crashed, from: 'queued' });
  await crash();
  const twice = await explain(dispatchId);
  expect(twice).toMatchObject({ state: 'outcome_unknown', ended: true });
  expect(twice.notes.slice(-2)).toEqual(['The daemon failed over it', 'the catalog is broken']);
  expect(twice.history.slice(-2)).toMatchObject([
    crashed,
    { event: 'crash', to: 'outcome_unknown', note: 'the catalog is broken' },
  ]);
  expect(twice).not.toHaveProperty('actorState');
});

it('tells of the crash of a pairing, which goes on from its record', async () => {
  const { explain, kernel, root } = await daemon();
  roots.push(root);
  const device = verifiedCaller({ kind: 'device', deviceId: 'LABNODE', fingerprint: '' });
  const reply = {
    resolve: () => {
      throw new Error('the caller is broken');
    },
    reject: () => undefined,
  };
  sendToPairing(kernel.directory, pairingId, {
    type: 'submit',
    caller: device,
    requested: [],
    proposedName: '',
    reply,
  });
  await turns(3);
  const explanation = await explain(pairingId);
  expect(explanation).toMatchObject({
    kind: 'pairing',
    state: 'approved',
    actorState: 'approved',
    notes: ['Its code was minted for: a rack'],
    history: [{ event: 'approve' }, { event: 'crash', from: 'approved', to: 'approved' }],
  });
  expect(explanation.history.at(-1)?.note).toContain('the caller is broken');
});

it('says of a node without a session what its trust is and who gave it', async () => {
  const { clock, explain, root } = await daemon();
  roots.push(root);
  for (const subject of ['lab', 'LABNODE', 'labn-ode']) {
    expect(await explain(subject)).toMatchObject({
      kind: 'node',
      id: 'LABNODE',
      title: 'lab',
      state: 'trusted',
      ended: false,
      description: expect.stringContaining('no session'),
      notes: ['Node lab is offline, never seen', '1 unfinished dispatch'],
      history: [{ event: 'approve', by: 'operator:ada', to: 'trusted' }],
      accepts: expect.arrayContaining([
        expect.objectContaining({ event: 'revoke', sender: 'an operator with the role admin' }),
      ]),
    });
  }
  clock.advance(86_400_001);
  expect(await explain('lab')).toMatchObject({ state: 'expired' });
  await expect(explain('lob')).rejects.toMatchObject({ code: 'dispatch.unknown_node' });
  await expect(explain(newId('dp', start))).rejects.toMatchObject({ code: 'dispatch.not_found' });
  await expect(explain(newId('pr', start))).rejects.toMatchObject({ code: 'pairing.not_found' });
});

it('says of a device that is shut out who did it and why, and who can lift it; also when only its id is left', async () => {
  const { devices, explain, root } = await daemon();
  roots.push(root);
  const decide = (type: 'revoke' | 'remove', reason: string) =>
    devices.decide('LABNODE', { type, caller: ada, reason });
  await decide('revoke', 'laptop lost');
  const revoked = await explain('lab');
  expect(revoked).toMatchObject({
    state: 'revoked',
    ended: false,
    description: expect.stringContaining('operator:ada decided it: laptop lost'),
    history: [{ event: 'approve' }, { event: 'revoke', by: 'operator:ada', note: 'laptop lost' }],
  });
  expect(revoked.accepts.find(({ event }) => event === 'lift')).toMatchObject({
    sender: 'an operator with the role admin',
    branches: [{ target: 'trusted' }],
  });
  await decide('remove', 'scrapped');
  await expect(explain('lab')).rejects.toMatchObject({ code: 'dispatch.unknown_node' });
  expect(await explain('LABNODE')).toMatchObject({
    state: 'removed',
    description: expect.stringContaining('scrapped'),
    since: start,
  });
});
