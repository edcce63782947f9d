import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { turns } from '../../src/testing/process-life.js';
import { World } from './world.js';

beforeAll(() => {
  // A development build of XState takes the initial context of an actor that an action starts for an `assign` in it.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterAll(() => {
  vi.restoreAllMocks();
});

/** Moves one frame at a time and calls `between` after each, until nothing has moved for a while. */
async function stepwise(world: World, between: () => void): Promise<void> {
  for (let step = 0; step < 40; step++) {
    await world.pump(step % 2, (step + 1) % 2, 2);
    between();
    await turns(1);
  }
}

it.each([1, 2, 3, 5, 8, 13])(
  'a dispatch that runs ends well, and none is refused, at any moment of a hand-over (%i)',
  async (at) => {
    const world = await World.start();
    await world.pump(4, 4, 3);
    world.create('once', true, false, 90_000);
    await world.pump(4, 4, 4);
    world.renew();
    let step = 0;
    await stepwise(world, () => {
      step += 1;
      if (step === at) world.finish(0, true);
      world.create('again', true, false, 90_000);
    });
    expect(world.fingerprint).toBe('f2');
    expect(await world.stabilise()).toBe(true);
    expect(world.violations).toEqual([]);
    expect(world.refused).toEqual([]);
    const records = await world.records();
    expect(records).toHaveLength(41);
    expect(new Set(records.map(({ state }) => state))).toEqual(new Set(['succeeded']));
    expect(await world.falseAlarms()).toBe(0);
    // Without a fault on the line, what the node says of it is so.
    expect(world.falselyConnected).toBe(0);
    world.stop();
  },
);

it('keeps the old certificate until the new one has worked, and the daemon drops it then', async () => {
  const world = await World.start();
  await world.pump(4, 4, 3);
  world.renew();
  await turns(2);
  expect(await world.certificates()).toEqual(['f1', 'f2']);
  expect(await world.stabilise()).toBe(true);
  expect(await world.certificates()).toEqual(['f2']);
  world.stop();
});
