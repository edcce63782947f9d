import { expect, it } from 'vitest';
import { createActor } from 'xstate';
import { toOperation } from '../../src/actors/records.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { tokens } from '../../src/daemon/tokens.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { Catalog } from '../../src/plugins/catalog.js';
import { ValidatorCache } from '../../src/plugins/validators.js';
import { modelDaemon } from '../../src/testing/memory-daemon.js';
import { MemoryRevocations } from '../../src/testing/memory-revocations.js';
import { quietAuthority } from '../../src/testing/quiet-authority.js';
import { sampleDevice, start } from './samples.js';

const admin = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });

it('orders every node to renew with a new CA, also when one of them is shut out meanwhile', async () => {
  const store = new MemoryStore();
  const ids = ['A', 'B', 'C'];
  await store.commit(ids.map((id) => toOperation('device', id, sampleDevice({ id, name: id }))));
  const daemon = await modelDaemon({
    clock: new SimulatedClock(start),
    store,
    revocations: new MemoryRevocations(),
    catalog: new Catalog(new ValidatorCache()),
    authority: async (kernel, of) => {
      const quiet = await quietAuthority(kernel, of);
      const input = (devices: Parameters<typeof quiet.input>[0]) => {
        const { record, ports } = quiet.input(devices);
        return { record, ports: { ...ports, make: async () => 'new' } };
      };
      return { ...quiet, input };
    },
    storeFailed: (error) => {
      throw error;
    },
  });
  const { devices } = daemon;
  const root = await new Promise<{ stop(): void }>((resolve) => {
    const actor = createActor(daemon.tree(() => resolve(actor)));
    actor.start();
  });
  devices.onDecided(({ device, action }) => {
    if (device.id === 'A' && action === 'rotate')
      void devices.decide('B', { type: 'revoke', caller: admin, reason: 'lost' });
  });
  const { authority } = daemon.container.resolve(tokens.control);
  await authority.rotate(admin, { reason: 'stolen', now: true });
  expect(ids.map((id) => [devices.get(id)?.state, devices.get(id)?.rotation?.reason])).toEqual([
    ['trusted', 'stolen'],
    ['revoked', undefined],
    ['trusted', 'stolen'],
  ]);
  root.stop();
});
