import { expect, it } from 'vitest';
import { createActor } from 'xstate';
import { toOperation } from '../../src/actors/records.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { toAppError } from '../../src/kernel/errors.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { Catalog } from '../../src/plugins/catalog.js';
import { ValidatorCache } from '../../src/plugins/validators.js';
import { modelDaemon } from '../../src/testing/memory-daemon.js';
import { MemoryRevocations } from '../../src/testing/memory-revocations.js';
import { quietAuthority } from '../../src/testing/quiet-authority.js';
import { sampleDevice, samplePairing, start } from './samples.js';

const admin = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });

/** A daemon with the device `lab`, and a request of each of these devices that waits for an operator. */
async function daemonWith(devices: readonly string[]) {
  const store = new MemoryStore();
  const lab = sampleDevice();
  const pairings = devices.map((deviceId) =>
    samplePairing({
      id: `pr_${deviceId}`,
      deviceId,
      csrDigest: deviceId,
      state: 'pending_approval',
      proposedName: 'twin',
      expiresAt: start + 3_600_000,
    }),
  );
  await store.commit([
    toOperation('device', lab.id, lab),
    ...pairings.map((one) => toOperation('pairing', one.deviceId, one)),
  ]);
  const daemon = await modelDaemon({
    clock: new SimulatedClock(start),
    store,
    revocations: new MemoryRevocations(),
    catalog: new Catalog(new ValidatorCache()),
    authority: async (kernel, of) => {
      const quiet = await quietAuthority(kernel, of);
      const issueDevice = async (_csr: Uint8Array, deviceId: string) => ({
        pem: deviceId,
        fingerprint: deviceId,
        issuer: 'ca',
        serial: '1',
        notBefore: start,
        notAfter: start + 86_400_000,
      });
      return { ...quiet, authorities: { ...quiet.authorities, issueDevice } };
    },
    storeFailed: (error) => {
      throw error;
    },
  });
  const root = await new Promise<ReturnType<typeof createActor>>((resolve) => {
    const actor = createActor(daemon.tree(() => resolve(actor)));
    actor.start();
  });
  const approve = (deviceId: string, name: string): Promise<string> =>
    daemon.pairings
      .ask(`pr_${deviceId}`, (reply) => ({
        type: 'approve',
        caller: admin,
        transcript: 't1',
        name,
        reason: '',
        reply,
      }))
      .then(({ state }) => state, codeOf);
  return { daemon, approve, stop: () => root.stop() };
}

const codeOf = (thrown: unknown): string => toAppError(thrown).code;

it('gives a name to one node, however many are approved under it at once', async () => {
  const ids = ['A', 'B', 'C', 'D'];
  const { daemon, approve, stop } = await daemonWith(ids);
  const outcomes = await Promise.all(ids.map((id) => approve(id, 'twin')));
  expect(outcomes.sort()).toEqual(['approved', ...Array(3).fill('pairing.name_taken')]);
  expect([...daemon.devices.all()].filter(({ name }) => name === 'twin')).toHaveLength(1);
  stop();
});

it('gives a name to one node when another is renamed to it in the same moment', async () => {
  const { daemon, approve, stop } = await daemonWith(['A']);
  const outcomes = await Promise.all([
    approve('A', 'twin'),
    daemon.devices
      .decide('LABNODE', { type: 'rename', caller: admin, reason: '', name: 'twin' })
      .then(({ name }) => name, codeOf),
  ]);
  expect([
    ['approved', 'device.name_taken'],
    ['pairing.name_taken', 'twin'],
  ]).toContainEqual(outcomes);
  stop();
});
