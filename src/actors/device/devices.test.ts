import { describe, expect, it } from 'vitest';
import { sampleDevice, start } from '../../../test/model/samples.js';
import { MemoryStore } from '../../adapters/store/memory.js';
import { verifiedCaller } from '../../kernel/authority.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import type { Store } from '../../kernel/store.js';
import { MemoryRevocations } from '../../testing/memory-revocations.js';
import { toOperation } from '../records.js';
import { Devices } from './devices.js';
import type { DeviceDecisionEvent } from './events.js';
import type { DeviceRecord } from './record.js';
import type { Revocation, RevocationLog } from './revocations.js';

const admin = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
const decision = (type: 'revoke' | 'remove' | 'ban' | 'lift', reason = 'lost'): DeviceDecisionEvent => ({
  type,
  caller: admin,
  reason,
});
const entry = (deviceId: string, action: Revocation['action']): Revocation => ({
  deviceId,
  action,
  at: start,
  by: 'operator:eve',
  reason: 'stolen',
});

async function world(records: readonly Partial<DeviceRecord>[] = [{}], lines: readonly Revocation[] = []) {
  const store = new MemoryStore();
  await store.commit(records.map(sampleDevice).map((one) => toOperation('device', one.id, one)));
  const revocations = new MemoryRevocations(lines);
  const warned: object[] = [];
  const reopen = (log: RevocationLog = revocations, on: Store = store) =>
    Devices.open({
      store: on,
      revocations: log,
      clock: new SimulatedClock(start),
      log: { debug() {}, info() {}, error() {}, warn: (fields) => warned.push(fields) },
    });
  return { store, revocations, warned, reopen, devices: await reopen() };
}

describe('a decision', () => {
  it('is in the file before it is in the database, and then tells who listens', async () => {
    const { store, revocations, devices } = await world();
    const order: string[] = [];
    const append = revocations.append.bind(revocations);
    revocations.append = async (line) => {
      order.push(`file ${(await store.get('device', 'LABNODE'))?.state}`);
      await append(line);
    };
    devices.onDecided(({ device, action }) => order.push(`${action} ${device.state} ${device.version}`));
    const revoked = await devices.decide('LABNODE', decision('revoke'));
    expect(revoked).toMatchObject({ state: 'revoked', version: 2 });
    expect(order).toEqual(['file trusted', 'revoke revoked 2']);
    expect(revocations.lines).toEqual([
      { deviceId: 'LABNODE', action: 'revoke', at: start, by: 'operator:ada', reason: 'lost' },
    ]);
    expect(await store.get('device', 'LABNODE')).toMatchObject({ state: 'revoked', version: 2 });
  });

  it('that cannot be made is in neither', async () => {
    const { revocations, devices } = await world();
    await expect(devices.decide('LABNODE', decision('lift'))).rejects.toMatchObject({
      code: 'device.not_possible',
    });
    await expect(devices.decide('LABNODE', decision('revoke'), 7)).rejects.toMatchObject({
      code: 'device.changed',
      category: 'precondition',
    });
    await expect(devices.decide('OTHER', decision('revoke'))).rejects.toMatchObject({
      code: 'device.not_found',
    });
    expect(revocations.lines).toEqual([]);
    expect((await devices.decide('LABNODE', decision('revoke'), 1)).state).toBe('revoked');
  });

  it('that the file refuses changes nothing', async () => {
    const { store, revocations, devices } = await world();
    revocations.append = () => Promise.reject(new Error('the disk is full'));
    await expect(devices.decide('LABNODE', decision('revoke'))).rejects.toThrow('the disk is full');
    expect([devices.get('LABNODE')?.state, (await store.get('device', 'LABNODE'))?.version]).toEqual([
      'trusted',
      1,
    ]);
    revocations.append = () => Promise.resolve();
    expect((await devices.decide('LABNODE', decision('ban'))).state).toBe('banned');
  });

  it('waits for the one before it: of two at once the second finds what the first made', async () => {
    const { revocations, devices } = await world();
    const [first, second, third] = await Promise.allSettled([
      devices.decide('LABNODE', decision('revoke')),
      devices.decide('LABNODE', decision('revoke')),
      devices.decide('LABNODE', decision('remove')),
    ]);
    expect([first.status, second.status, third.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(revocations.lines.map(({ action }) => action)).toEqual(['revoke', 'remove']);
  });

  it('on a name is refused when another goes by it; a tombstone has given its name back', async () => {
    const { devices } = await world([
      {},
      { id: 'OTHER', name: 'gone', state: 'removed' },
      { id: 'THIRD', name: 'it' },
    ]);
    const rename = (name: string) =>
      devices.decide('LABNODE', { type: 'rename', caller: admin, reason: '', name });
    await expect(rename('it')).rejects.toMatchObject({
      code: 'device.name_taken',
      fields: [{ field: 'name' }],
    });
    expect((await rename('gone')).name).toBe('gone');
    expect((await rename('gone')).version).toBe(3);
  });
});

it('on labels is noted in the journal with what became of them, tells how it was, and stands in no file', async () => {
  const { store, revocations, devices } = await world([{ labels: { site: 'oslo' } }]);
  const told: unknown[] = [];
  devices.onDecided(({ action, before, device }) => told.push([action, before?.labels, device.labels]));
  const change = { set: { role: 'edge' }, remove: ['site'] };
  const event = { type: 'label', caller: admin, reason: 'moved', ...change } as const;
  await expect(devices.decide('LABNODE', event, 7)).rejects.toMatchObject({ code: 'device.changed' });
  expect((await devices.decide('LABNODE', event, 1)).labels).toEqual({ role: 'edge' });
  expect(told).toEqual([['label', { site: 'oslo' }, { role: 'edge' }]]);
  expect(revocations.lines).toEqual([]);
  expect((await store.history('device', 'LABNODE')).at(-1)).toMatchObject({
    event: 'label',
    by: 'operator:ada',
    note: 'role=edge, without site: moved',
  });
});

describe('what file and database say when the daemon starts', () => {
  it('bars whom the file bars and the database does not, and says so', async () => {
    const { store, devices, warned, reopen } = await world(
      [{}, { id: 'OTHER', name: 'b', state: 'revoked' }, { id: 'LIFTED', name: 'c', state: 'lifted' }],
      [
        entry('LABNODE', 'revoke'),
        entry('OTHER', 'remove'),
        entry('LIFTED', 'ban'),
        entry('NEVER', 'revoke'),
      ],
    );
    const states = ['LABNODE', 'OTHER', 'LIFTED', 'NEVER'].map((id) => devices.get(id)?.state);
    expect(states).toEqual(['revoked', 'removed', 'banned', 'banned']);
    expect((await store.get('device', 'NEVER'))?.state).toBe('banned');
    expect(devices.get('LABNODE')?.decisions).toEqual([
      { action: 'revoke', by: 'operator:eve', at: start, reason: 'stolen' },
    ]);
    expect(warned).toHaveLength(4);
    expect(warned[0]).toMatchObject({
      device: 'LABNODE',
      action: 'revoke',
      by: 'operator:eve',
      reason: 'stolen',
    });
    await reopen();
    expect(warned).toHaveLength(4);
  });

  it('lets nobody in: a lift that stands in the file alone lifts nothing', async () => {
    const { devices, revocations } = await world(
      [{ state: 'revoked', decisions: [{ action: 'revoke', by: 'operator:ada', at: 1, reason: 'lost' }] }],
      [entry('LABNODE', 'revoke'), entry('LABNODE', 'lift')],
    );
    expect(devices.get('LABNODE')?.state).toBe('revoked');
    expect(revocations.of('LABNODE')).toEqual({
      ...entry('LABNODE', 'revoke'),
      at: 1,
      by: 'operator:ada',
      reason: 'lost',
    });
  });

  it('leaves alone what is barred more, and whom the file has let in again', async () => {
    const { devices, warned } = await world(
      [{ state: 'banned' }, { id: 'OTHER', name: 'b' }],
      [entry('LABNODE', 'revoke'), entry('OTHER', 'revoke'), entry('OTHER', 'lift')],
    );
    expect([devices.get('LABNODE')?.state, devices.get('OTHER')?.state]).toEqual(['banned', 'trusted']);
    expect(warned).toEqual([]);
  });

  it('writes into a new file whom the database bars', async () => {
    const { revocations, warned } = await world([{ state: 'removed' }, { id: 'OTHER', name: 'b' }]);
    expect(revocations.lines).toMatchObject([{ deviceId: 'LABNODE', action: 'remove' }]);
    expect(warned).toHaveLength(1);
  });
});

describe('who may speak', () => {
  const certificate = { fingerprint: 'f', issuer: 'ca', serial: '1', notBefore: 0, notAfter: start * 2 };

  it('is told why not, and by which word it comes in again', async () => {
    const { devices } = await world([{ certificates: [certificate] }]);
    expect(devices.authenticate('LABNODE', 'f').name).toBe('lab');
    await devices.decide('LABNODE', decision('revoke', 'the laptop is lost'));
    expect(() => devices.authenticate('LABNODE', 'f')).toThrow(
      expect.objectContaining({
        code: 'session.revoked',
        message: 'Device LABNODE is revoked: the laptop is lost',
        hint: expect.stringContaining('palyra devices lift lab'),
      }),
    );
    await devices.decide('LABNODE', decision('lift', 'it is found'));
    expect(devices.authenticate('LABNODE', 'f').state).toBe('trusted');
    await devices.decide('LABNODE', decision('remove'));
    await devices.decide('LABNODE', decision('lift'));
    expect(() => devices.authenticate('LABNODE', 'f')).toThrow(
      expect.objectContaining({ code: 'session.unknown_certificate' }),
    );
  });
});
