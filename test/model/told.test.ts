import { expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import type { DispatchRecord } from '../../src/actors/dispatch/record.js';
import { toOperation } from '../../src/actors/records.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { Catalog } from '../../src/plugins/catalog.js';
import { ValidatorCache } from '../../src/plugins/validators.js';
import { modelDaemon } from '../../src/testing/memory-daemon.js';
import { MemoryRevocations } from '../../src/testing/memory-revocations.js';
import { ProcessStore, turns } from '../../src/testing/process-life.js';
import { sampleDevice, sampleDispatch, start } from './samples.js';

const ada = verifiedCaller({ kind: 'operator', name: 'ada', role: 'invoker' });

/** A daemon with one dispatch that waits for its node to come back, and what its disk says of that. */
async function daemonWithQueued(changes: Partial<DispatchRecord> = {}) {
  const disk = new MemoryStore();
  const lab = sampleDevice();
  const queued = sampleDispatch({ deviceId: lab.id, repeatable: false, ...changes });
  await disk.commit([
    toOperation('device', lab.id, lab),
    toOperation('dispatch', lab.id, { ...queued, version: 1 }),
  ]);
  const { dispatches, live, sessions, tree } = await modelDaemon({
    clock: new SimulatedClock(start),
    store: new ProcessStore({ dead: false }, disk),
    revocations: new MemoryRevocations(),
    catalog: new Catalog(new ValidatorCache()),
    storeFailed: (error) => {
      throw error;
    },
  });
  const root = await new Promise<ReturnType<typeof createActor>>((resolve) => {
    const actor = createActor(tree(() => resolve(actor)));
    actor.start();
  });
  const onDisk = async () => (await disk.get('dispatch', queued.id))?.state;
  return { dispatches, live, sessions, id: queued.id, onDisk, stop: () => root.stop() };
}

it('tells an end to who cancels, asks or lists only once a crash can not make it untrue', async () => {
  const { dispatches, live, id, onDisk, stop } = await daemonWithQueued();
  const told = async (answer: Promise<{ readonly state?: string }>) => {
    const { state } = await answer;
    return [state, await onDisk()];
  };
  const cancelled = told(dispatches.cancel(ada, id, 'enough'));
  while (live.get(id)?.state === 'queued') await Promise.resolve();
  const asked = told(dispatches.get(ada, id));
  const listed = told(dispatches.list(ada, {}).then(({ dispatches: [first] }) => ({ ...first })));
  expect(await Promise.all([cancelled, asked, listed])).toEqual([
    ['cancelled', 'cancelled'],
    ['cancelled', 'cancelled'],
    ['queued', 'queued'],
  ]);
  stop();
});

it.each([
  ['never sent goes out', 0, 4],
  ['perhaps sent, as after a crash, waits for the word of its node', 3, 3],
])('what was %s when more may run there', async (_what, sentInEpoch, after) => {
  const { dispatches, live, sessions, id, stop } = await daemonWithQueued({ sentInEpoch });
  vi.spyOn(sessions, 'live').mockReturnValue({ deviceId: 'LABNODE', epoch: 4 } as never);
  dispatches.released('LABNODE');
  const record = live.get(id);
  expect(record?.sentInEpoch).toBe(after);
  expect(record?.steps.map(({ to }) => to)).not.toContain('resent');
  await turns(3);
  stop();
});
