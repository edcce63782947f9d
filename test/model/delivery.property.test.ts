import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { turns } from '../../src/testing/process-life.js';
import { propertyRuns } from '../support/property-runs.js';
import type { Capability } from './lab.js';
import { World } from './world.js';

/*
 * The real actors of a daemon and a node, over a connection, two disks and a clock that do only what a random script says:
 * connections break with one side or both knowing, what was said comes twice, or after what the next connection brings, either
 * process is killed between any two turns of its event loop and comes back with what was on its disk, the node may come back with
 * an empty disk, its line moves to a new certificate. Then the faults stop and all must come to rest. The rules are checked in
 * `world.ts` as each record is written and each handler started.
 * A failure prints the seed and the shortest script that shows it.
 */
const numRuns = propertyRuns(300);

type Command = (world: World) => void | Promise<void>;

/** A command that fast-check prints as what it does when a run fails. */
function named(name: string, command: Command): Command {
  return Object.assign(command, { [fc.toStringMethod]: () => name });
}

const choice = fc.nat(7);
const pause = fc.nat(4);
const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.constantFrom<Capability>('once', 'again', 'asked'),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(2_000, 90_000),
      )
      .map(([capability, wait, queue, timeoutMs]) =>
        named(`create ${capability} wait=${wait} queue=${queue} ${timeoutMs}`, (world) =>
          world.create(capability, wait, queue, timeoutMs),
        ),
      ),
  },
  {
    weight: 3,
    arbitrary: choice.map((n) => named(`cancel ${n}`, (world) => world.cancel(n))),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(choice, fc.boolean())
      .map(([n, succeeds]) => named(`finish ${n} ${succeeds}`, (world) => world.finish(n, succeeds))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(choice, fc.boolean())
      .map(([n, allowed]) => named(`answer ${n} ${allowed}`, (world) => world.answer(n, allowed))),
  },
  {
    weight: 12,
    arbitrary: fc
      .tuple(fc.nat(3), fc.nat(3), pause)
      .map(([up, down, between]) =>
        named(`pump ${up} ${down} ${between}`, (world) => world.pump(up, down, between)),
      ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(3), fc.nat(3))
      .map(([up, down]) => named(`overtake ${up} ${down}`, (world) => world.overtake(up, down))),
  },
  {
    weight: 4,
    arbitrary: fc.constant(named('duplicate', (world) => world.duplicate())),
  },
  {
    weight: 2,
    arbitrary: fc.constant(named('the node gives its line up', (world) => world.forsake())),
  },
  {
    weight: 4,
    arbitrary: pause.map((n) => named(`turns ${n}`, () => turns(n))),
  },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(1, 20, 600, 2_500, 15_000, 45_000)
      .map((ms) => named(`advance ${ms}`, (world) => world.clock.advance(ms))),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom([true, true], [true, false], [false, true])
      .map(([daemon = true, node = true]) =>
        named(`cut ${daemon} ${node}`, (world) => world.cut(daemon, node)),
      ),
  },
  {
    weight: 2,
    arbitrary: pause.map((n) => named(`restart daemon ${n}`, (world) => world.restartDaemon(n))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(pause, fc.boolean())
      .map(([n, known]) => named(`restart node ${n} ${known}`, (world) => world.restartNode(n, known))),
  },
  {
    weight: 3,
    arbitrary: fc.constant(named('renew', (world) => world.renew())),
  },
  {
    weight: 1,
    arbitrary: fc.constant(named('lose the disk of the node', (world) => world.loseNodeDisk())),
  },
);

beforeAll(() => {
  // A development build of XState takes the initial context of an actor that an action starts for an `assign` in it.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterAll(() => {
  vi.restoreAllMocks();
});

it(
  'starts what may not be repeated at most once and ends everything truthfully, whatever dies when',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { minLength: 5, maxLength: 45, size: 'max' }), async (script) => {
        const world = await World.start();
        try {
          // The node is connected when the faults begin.
          await world.pump(4, 4, 3);
          for (const command of script) {
            await command(world);
            await turns(1);
          }
          const isAtRest = await world.stabilise();
          expect(world.violations).toEqual([]);
          if (!isAtRest) throw new Error(`Not all came to rest:\n${world.describe()}`);
          const records = new Map((await world.records()).map((record) => [record.id, record]));
          for (const id of world.accepted) expect(records.has(id)).toBe(true);
          for (const { id, state, resolution } of records.values()) {
            const succeeded = state === 'succeeded' || resolution?.state === 'succeeded';
            if (succeeded) expect(world.starts.get(id)).toBeGreaterThan(0);
          }
          expect(await world.falseAlarms()).toBe(0);
        } finally {
          world.stop();
        }
      }),
      { numRuns },
    );
  },
  20_000 + numRuns * 300,
);
