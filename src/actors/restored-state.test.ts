import { expect, test } from 'vitest';
import { sampleDevice, sampleDispatch, start } from '../../test/model/samples.js';
import { MemoryStore } from '../adapters/store/memory.js';
import { SimulatedClock } from '../kernel/simulated-clock.js';
import type { Store } from '../kernel/store.js';
import type { DeviceRecord } from './device/record.js';
import { type DispatchRecord, liveDispatchStates } from './dispatch/record.js';
import type { PairingCodeRecord } from './pairing/record.js';
import { fromStored, toOperation } from './records.js';
import { restoreMark, settleRestored } from './restored-state.js';

const clock = new SimulatedClock(start + 5_000);

function code(id: string, state: PairingCodeRecord['state']): PairingCodeRecord {
  const times = { createdAt: start, updatedAt: start, expiresAt: start + 600_000 };
  return {
    id,
    version: 1,
    state,
    method: 'join',
    purpose: '',
    labels: {},
    charges: [],
    mintedBy: 'x',
    ...times,
  };
}

async function restoredStore(): Promise<Store> {
  const store = new MemoryStore();
  const dispatches = liveDispatchStates.flatMap((state) =>
    [true, false].map((repeatable) =>
      sampleDispatch({ id: `dp_${state}_${repeatable}`, version: 1, state, repeatable, sentInEpoch: 7 }),
    ),
  );
  const queued = sampleDispatch({ id: 'dp_unsent', version: 1, repeatable: false, sentInEpoch: 0 });
  const ended = sampleDispatch({ id: 'dp_ended', version: 1, state: 'succeeded', repeatable: false });
  await store.commit([
    ...[...dispatches, queued, ended].map((record) => toOperation('dispatch', record.deviceId, record)),
    toOperation('device', 'LABNODE', sampleDevice({ epoch: 7 })),
    ...(['live', 'bound', 'used'] as const).map((state) =>
      toOperation('pairing-code', '', code(`pc_${state}`, state)),
    ),
    restoreMark('restore-1', start, start + 1_000),
  ]);
  return store;
}

async function read<R>(store: Store, kind: string, id: string): Promise<R> {
  const stored = await store.get(kind, id);
  if (!stored) throw new Error(`no ${kind} ${id}`);
  return fromStored(stored) as R;
}

test('work that may have run since the backup is unknown, queued or delivered; what may run twice goes on', async () => {
  const store = await restoredStore();
  expect(await settleRestored(store, clock)).toEqual({ backupAt: start, unknown: 5, codes: 1, devices: 1 });
  for (const id of [...liveDispatchStates.map((state) => `dp_${state}_false`), 'dp_unsent']) {
    const record = await read<DispatchRecord>(store, 'dispatch', id);
    expect(record).toMatchObject({
      state: 'outcome_unknown',
      version: 2,
      outcome: { state: 'outcome_unknown', reason: 'restored' },
      finishedAt: start + 5_000,
    });
    expect(record.steps.at(-1)).toMatchObject({
      to: 'outcome_unknown',
      event: 'restored',
      by: 'system:daemon',
    });
  }
  for (const state of liveDispatchStates)
    expect((await read<DispatchRecord>(store, 'dispatch', `dp_${state}_true`)).state).toBe(state);
  expect((await read<DispatchRecord>(store, 'dispatch', 'dp_ended')).state).toBe('succeeded');
});

test('a code that was live is cancelled, and the epochs of devices are moved on', async () => {
  const store = await restoredStore();
  await settleRestored(store, clock);
  const states = await Promise.all(
    ['live', 'bound', 'used'].map(
      async (id) => (await read<PairingCodeRecord>(store, 'pairing-code', `pc_${id}`)).state,
    ),
  );
  expect(states).toEqual(['cancelled', 'bound', 'used']);
  const device = await read<DeviceRecord>(store, 'device', 'LABNODE');
  expect(device).toMatchObject({ epoch: 1_000_007, ticket: { restoredFrom: start } });
});

test('it happens once, and only in a restored database', async () => {
  const store = await restoredStore();
  await settleRestored(store, clock);
  expect(await settleRestored(store, clock)).toBeUndefined();
  expect((await read<DeviceRecord>(store, 'device', 'LABNODE')).epoch).toBe(1_000_007);
  expect(await settleRestored(new MemoryStore(), clock)).toBeUndefined();
});

test('a start that ends in the middle of it has changed nothing, and the next one does all of it', async () => {
  const store = await restoredStore();
  const failing: Store = {
    get: (kind, id) => store.get(kind, id),
    list: (query) => store.list(query),
    heads: (query) => store.heads(query),
    history: (kind, id) => store.history(kind, id),
    commit: () => Promise.reject(new Error('power cut')),
    close: () => store.close(),
  };
  await expect(settleRestored(failing, clock)).rejects.toThrow('power cut');
  expect((await read<DispatchRecord>(store, 'dispatch', 'dp_running_false')).state).toBe('running');
  expect(await settleRestored(store, clock)).toMatchObject({ unknown: 5 });
});
