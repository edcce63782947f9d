import { expect, it } from 'vitest';
import type { DispatchRecord } from '../../src/actors/dispatch/record.js';
import type { FanoutView } from '../../src/actors/fanout/view.js';
import { eachStored, fromStored, toOperation } from '../../src/actors/records.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { tokens } from '../../src/daemon/tokens.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { Catalog } from '../../src/plugins/catalog.js';
import { descriptorDigest } from '../../src/plugins/digest.js';
import { ValidatorCache } from '../../src/plugins/validators.js';
import { modelDaemon, startTree } from '../../src/testing/memory-daemon.js';
import { MemoryRevocations } from '../../src/testing/memory-revocations.js';
import { clockOf, type Life, ProcessStore, turns } from '../../src/testing/process-life.js';
import { sampleDescriptor, sampleDevice } from './samples.js';

/*
 * Kills a daemon at every turn of its event loop while a fan-out makes its dispatches, and starts another one over what is on the disk
 * then. Whatever the moment, no target ever gets two dispatches, and a fan-out that was accepted gets to its end.
 */

const ada = verifiedCaller({ kind: 'operator', name: 'ada', role: 'invoker' });
const once = sampleDescriptor({ name: 'once', idempotent: false });
const digest = descriptorDigest(once);
const names = ['a', 'b', 'c', 'd'] as const;
const request = {
  all: true,
  capability: 'once',
  input: {},
  queue: true,
  batch: 3,
  idempotencyKey: 'k',
} as const;

async function diskWithNodes(): Promise<MemoryStore> {
  const disk = new MemoryStore();
  const offered = {
    digest,
    capability: 'once',
    plugin: once.plugin,
    pluginVersion: '1.0.0',
    buildDigest: 'b',
  };
  const approval = { digest, capability: 'once', approvedBy: '', approvedAt: 0 };
  const devices = names.map((name) =>
    sampleDevice({ id: `NODE${name}`.toUpperCase(), name, offered: [offered], approvals: [approval] }),
  );
  await disk.commit(devices.map((device) => toOperation('device', device.id, device)));
  return disk;
}

async function startDaemon(disk: MemoryStore, clock: SimulatedClock) {
  const life: Life = { dead: false };
  const catalog = new Catalog(new ValidatorCache());
  catalog.add(once, 'folder');
  const daemon = await modelDaemon({
    clock: clockOf(life, clock),
    store: new ProcessStore(life, disk),
    revocations: new MemoryRevocations(),
    catalog,
    config: (defaults) => ({ ...defaults, plugins: { ...defaults.plugins, enabled: [once.plugin] } }),
    storeFailed: (error) => {
      throw error;
    },
  });
  const root = await startTree(daemon);
  return {
    fanouts: daemon.container.resolve(tokens.fanouts),
    dispatches: daemon.dispatches,
    kill: (): void => {
      life.dead = true;
      root.stop();
    },
  };
}

async function dispatchesOn(disk: MemoryStore): Promise<readonly DispatchRecord[]> {
  const found: DispatchRecord[] = [];
  for await (const stored of eachStored(disk, 'dispatch')) found.push(fromStored<DispatchRecord>(stored));
  return found;
}

async function until(fits: () => Promise<boolean>, clock: SimulatedClock): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await fits()) return;
    clock.advance(20);
    await turns(3);
  }
  throw new Error('It never came');
}

it('makes one dispatch for each target, at whatever turn the daemon is killed', async () => {
  let killedBeforeAll = 0;
  for (let turn = 0; turn < 24; turn += 1) {
    const clock = new SimulatedClock();
    const disk = await diskWithNodes();
    const first = await startDaemon(disk, clock);
    first.fanouts.create(ada, request).catch(() => undefined);
    await turns(turn);
    first.kill();
    await turns(4);
    const made = await dispatchesOn(disk);
    if (made.length < 3) killedBeforeAll += 1;

    const second = await startDaemon(disk, clock);
    // The caller, who heard nothing, asks again with the same key.
    const fanout = await second.fanouts.create(ada, request);
    const view = (): Promise<FanoutView> => second.fanouts.get(ada, fanout.id);
    await until(async () => (await view()).counts.started === 3, clock);
    expect((await view()).counts, `killed at turn ${turn}`).toEqual({ started: 3, waiting: 1 });
    const [one] = await dispatchesOn(disk);
    await second.dispatches.cancel(ada, one?.id ?? '', 'makes room');
    await until(
      async () => (await view()).counts.started === 3 && (await view()).counts.cancelled === 1,
      clock,
    );
    await second.fanouts.cancel(ada, fanout.id, 'enough');
    await until(async () => (await view()).state === 'cancelled', clock);

    const all = await dispatchesOn(disk);
    expect(all.map(({ deviceId }) => deviceId).sort(), `killed at turn ${turn}`).toEqual(
      names.map((name) => `NODE${name}`.toUpperCase()),
    );
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
    expect((await view()).members.map(({ state }) => state)).toEqual(names.map(() => 'cancelled'));
    second.kill();
  }
  // The kills fell before, into and after the making.
  expect(killedBeforeAll).toBeGreaterThan(2);
  expect(killedBeforeAll).toBeLessThan(24);
});
