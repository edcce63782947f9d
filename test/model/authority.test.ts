import { afterAll, describe, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { AuthorityRecords } from '../../src/actors/authority/authority-records.js';
import type { AuthorityContext, AuthorityPorts } from '../../src/actors/authority/behaviour.js';
import type { AuthorityEvent, AuthorityReply } from '../../src/actors/authority/events.js';
import { authorityMachine } from '../../src/actors/authority/machine.js';
import { type AuthorityRecord, firstRecord, standingOf } from '../../src/actors/authority/record.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { type Role, verifiedCaller } from '../../src/kernel/authority.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { turns } from '../../src/testing/process-life.js';
import { Coverage } from './coverage.js';
import { silent, start } from './samples.js';

const hour = 3_600_000;
const overlapMs = 7 * 24 * hour;
const bad = new Error('The disk is full');

const operator = (role: Role) => verifiedCaller({ kind: 'operator', name: 'ada', role });
const nobody: AuthorityReply = { resolve: () => {}, reject: () => {} };

/** Everything that can come: from operators and nodes, and answers to the step under way and to one before. */
function eventsOf({ step, record, intent }: AuthorityContext): AuthorityEvent[] {
  const rotate = (role: Role): AuthorityEvent => {
    return { type: 'rotate', caller: operator(role), overlapMs, reason: 'it is time', reply: nobody };
  };
  const forget = (role: Role, fingerprint: string): AuthorityEvent => {
    return { type: 'forget', caller: operator(role), fingerprint, reason: 'it is lost', reply: nobody };
  };
  const ofStep = (at: number): AuthorityEvent[] => [
    { type: 'made', step: at, fingerprint: `ca${record.cas.length + 1}` },
    { type: 'saved', step: at, record: intent?.next ?? record },
    { type: 'failed', step: at, error: bad },
  ];
  return [
    ...ofStep(step),
    ...ofStep(step - 1),
    rotate('admin'),
    rotate('approver'),
    ...record.cas.map(({ fingerprint }) => forget('admin', fingerprint)),
    forget('approver', record.cas[0]?.fingerprint ?? ''),
    forget('admin', 'none'),
    { type: 'device.moved' },
    { type: 'deadline' },
  ];
}

/** What a world starts from. */
interface Disk {
  /** Of one CA each. */
  readonly cas: readonly string[];
  readonly record?: AuthorityRecord;
}

/**
 * A disk with CAs, a database with the record, and one node that uses a CA. A daemon can die at any moment: what it had
 * asked of the disk is then there or not, and the next one starts from that.
 */
class World {
  readonly clock = new SimulatedClock(start);
  readonly #store = new MemoryStore();
  /** CAs on the disk, oldest first. */
  cas: string[];
  /** The CA of which the node has its certificate. */
  uses: string;
  /** When the CA that issues has become too old. */
  due = start + 1000 * hour;
  made: number;
  /** When the last overlap ends, whoever has not moved. */
  overlapEnds = Number.POSITIVE_INFINITY;

  constructor({ cas }: Disk) {
    this.cas = [...cas];
    this.made = cas.length;
    this.uses = cas.at(-1) ?? '';
  }

  static async with(disk: Disk): Promise<World> {
    const world = new World(disk);
    const { record } = disk;
    if (record) {
      const records = await world.open();
      await records.commit(record, { event: 'test', by: 'test' });
      world.uses = record.cas.find(({ state }) => state === 'trusted')?.fingerprint ?? world.uses;
    }
    return world;
  }

  open(): Promise<AuthorityRecords> {
    return AuthorityRecords.open({
      store: this.#store,
      onDisk: this.cas,
      overlapMs,
      now: this.clock.now(),
    });
  }

  /** One life of the daemon. */
  async boot() {
    const { clock } = this;
    const deadlines = new Deadlines(clock, silent);
    const records = await this.open();
    const steps: Step[] = [];
    const under = new Set<Step>();
    const failures: unknown[] = [];
    let applied = records.current;
    const step = <T>(what: Step['what'], effect: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        const answered = (): void => void under.delete(one);
        const one: Step = {
          what,
          effect,
          succeed: async () => {
            answered();
            resolve(await effect());
          },
          fail: () => {
            answered();
            reject(bad);
          },
        };
        steps.push(one);
        under.add(one);
      });
    const ports: AuthorityPorts = {
      deadlines,
      clock,
      overlapMs,
      rotationDue: () => this.due,
      make: (known) =>
        step('make', async () => {
          const unused = this.cas.find((ca) => !known.includes(ca));
          if (unused !== undefined) return unused;
          this.made += 1;
          this.cas.push(`ca${this.made}`);
          return `ca${this.made}`;
        }),
      remove: (fingerprint) =>
        step('remove', async () => {
          this.cas = this.cas.filter((ca) => ca !== fingerprint);
        }),
      commit: (next, cause) => step('commit', () => records.commit(next, cause)),
      apply: (record) => {
        // Nothing is done by what is not on disk.
        expect(record).toEqual(records.current);
        applied = record;
        this.due = clock.now() + 1000 * hour;
      },
      isKnownToAll: (fingerprint) => this.uses === fingerprint,
      failed: (error) => failures.push(error),
    };
    const input = { ports, record: records.current };
    const actor = createActor(authorityMachine, { inspect: coverage.inspect, input });
    actor.start();
    const underWay = (): Step | undefined => [...under][0];
    return { actor, deadlines, records, steps, underWay, failures, standing: () => standingOf(applied) };
  }
}

interface Step {
  readonly what: 'make' | 'remove' | 'commit';
  /** Does it, and the daemon never hears of that. */
  effect(): Promise<unknown>;
  succeed(): Promise<void>;
  fail(): void;
}

function isAnswer({ type }: AuthorityEvent, { what }: Step): boolean {
  return type === 'failed' || type === (what === 'make' ? 'made' : 'saved');
}

const coverage = new Coverage(authorityMachine);

/** Whatever has happened: one CA issues, and the node is let in by what it has and knows the daemon by it. */
function check(world: World, record: AuthorityRecord): void {
  const { issuing, trusted, serving } = standingOf(record);
  expect(record.cas.filter(({ state }) => state === 'issuing')).toHaveLength(1);
  expect(world.cas).toEqual(expect.arrayContaining([issuing, ...trusted, serving]));
  expect(record.state).toBe(record.rotation === undefined ? 'steady' : 'overlap');
  if (record.state === 'steady') expect(trusted).toEqual([issuing]);
  if (record.rotation) world.overlapEnds = record.rotation.endsAt;
  if (world.clock.now() < world.overlapEnds) expect(trusted).toContain(world.uses);
}

const overlap: AuthorityRecord = {
  ...firstRecord(['ca0', 'ca1'], start),
  version: 1,
  state: 'overlap',
  cas: [
    { fingerprint: 'ca0', state: 'retired', since: start },
    { fingerprint: 'ca1', state: 'trusted', since: start },
    { fingerprint: 'ca2', state: 'issuing', since: start },
  ],
  rotation: { by: 'operator:ada', reason: '', startedAt: start, endsAt: start + overlapMs },
};

const disks: readonly (readonly [string, Disk])[] = [
  ['with one CA', { cas: ['ca1'] }],
  ['with a retired CA beside it', { cas: ['ca0', 'ca1'] }],
  ['in an overlap', { cas: ['ca0', 'ca1', 'ca2'], record: overlap }],
];

/** The work that is under way when a daemon dies, done or not. */
const deaths = ['not done', 'done'] as const;

async function play(
  disk: Disk,
  path: readonly AuthorityEvent[],
  death: (typeof deaths)[number],
): Promise<void> {
  const world = await World.with(disk);
  const { actor, deadlines, records, steps, underWay, standing } = await world.boot();
  for (const event of path) {
    const before = actor.getSnapshot();
    const under = underWay();
    const asked = steps.length;
    const isOfStep = 'step' in event && event.step === before.context.step;
    if (event.type === 'deadline') {
      if (before.value === 'steady') world.clock.setWallTime(Math.max(world.clock.now(), world.due));
      world.clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
    } else if (event.type === 'device.moved') {
      world.uses = standing().issuing;
      actor.send(event);
    } else if (isOfStep && under && isAnswer(event, under)) {
      if (event.type === 'failed') under.fail();
      else await under.succeed();
      await turns(1);
      // Deleting is two steps, and both must be done.
      if (under.what === 'remove') await underWay()?.succeed();
      await turns(1);
    } else {
      actor.send(event);
    }
    await turns(1);
    const { value } = actor.getSnapshot();
    // What answers an earlier step is not heard.
    if ('step' in event && !isOfStep) expect(value).toBe(before.value);
    if ('caller' in event && event.caller.kind === 'operator' && event.caller.role !== 'admin') {
      expect([value, steps.length]).toEqual([before.value, asked]);
    }
    check(world, records.current);
  }
  const { value } = actor.getSnapshot();
  expect(deadlines.pending(actor)).toHaveLength(['making', 'saving'].includes(value) ? 0 : 1);
  actor.stop();
  // The daemon dies: what was under way is done by then, or not.
  if (death === 'done') await underWay()?.effect();
  const next = await world.boot();
  check(world, next.records.current);
  // A CA that was made is used: a rotation that was begun goes on.
  expect(next.records.current.cas.map(({ fingerprint }) => fingerprint).sort()).toEqual(
    [...world.cas].sort(),
  );
  next.actor.stop();
}

describe.each(disks)('the CAs of a daemon %s', (_name, disk) => {
  it.each(deaths)(
    'obey their rules on every shortest path and one event more, and after a death with the work under way %s',
    async (death) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
      const inert = await World.with(disk);
      const { records, deadlines } = await inert.boot();
      const ports: AuthorityPorts = {
        deadlines,
        clock: inert.clock,
        overlapMs,
        rotationDue: () => start,
        make: () => new Promise(() => {}),
        remove: () => new Promise(() => {}),
        commit: () => new Promise(() => {}),
        apply: () => {},
        isKnownToAll: () => true,
        failed: () => {},
      };
      const paths = getShortestPaths(authorityMachine, {
        input: { ports, record: records.current },
        events: (state) => eventsOf(state.context),
        serializeState: ({ value, context }) =>
          JSON.stringify([value, context.record.state, context.intent?.by]),
        stopWhen: ({ context }) => context.step > 6,
      });
      expect(paths.length).toBeGreaterThan(4);
      for (const path of paths) {
        const begin = path.steps.slice(1).map((step) => step.event);
        for (const last of eventsOf(path.state.context)) await play(disk, [...begin, last], death);
      }
      warn.mockRestore();
    },
  );
});

/** The answer to a question, as it stands. */
function question() {
  const answers: unknown[] = [];
  const reply: AuthorityReply = {
    resolve: (record) => answers.push(record.state),
    reject: (error) => answers.push(error.code),
  };
  return { answers, reply };
}

it('rotates by itself when five sixths of a life are over, tries again after a fault, and takes what is there', async () => {
  const world = await World.with({ cas: ['ca1'] });
  const { actor, deadlines, steps, failures, standing } = await world.boot();
  world.clock.advance(60_000);
  expect([actor.getSnapshot().value, steps]).toEqual(['steady', []]);
  world.clock.setWallTime(world.due);
  world.clock.advance(60_000);
  await steps.at(-1)?.succeed();
  await turns(1);
  expect(steps.map(({ what }) => what)).toEqual(['make', 'commit']);
  steps.at(-1)?.fail();
  await turns(1);
  expect([actor.getSnapshot().value, failures, standing().issuing]).toEqual(['retrying', [bad], 'ca1']);
  world.clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
  world.clock.advance(1);
  for (let step = 0; step < 2; step++) {
    await steps.at(-1)?.succeed();
    await turns(1);
  }
  expect(actor.getSnapshot().value).toBe('overlap');
  expect([world.cas, standing()]).toEqual([
    ['ca1', 'ca2'],
    { issuing: 'ca2', trusted: ['ca2', 'ca1'], serving: 'ca1' },
  ]);
  actor.stop();
});

it('ends an overlap when every node has moved, and else when its time is over', async () => {
  for (const moves of [true, false]) {
    const world = await World.with({ cas: ['ca0', 'ca1', 'ca2'], record: overlap });
    const { actor, steps, standing } = await world.boot();
    actor.send({ type: 'device.moved' });
    expect(actor.getSnapshot().value).toBe('overlap');
    if (moves) world.uses = 'ca2';
    else world.clock.advance(overlapMs - 60_000);
    actor.send({ type: 'device.moved' });
    expect(actor.getSnapshot().value).toBe(moves ? 'saving' : 'overlap');
    if (!moves) world.clock.advance(60_000);
    await turns(1);
    await steps.at(-1)?.succeed();
    await turns(1);
    expect([actor.getSnapshot().value, standing()]).toEqual([
      'steady',
      { issuing: 'ca2', trusted: ['ca2'], serving: 'ca2' },
    ]);
    actor.stop();
  }
});

it('goes on with a rotation that was begun when the daemon died before it was recorded', async () => {
  const world = await World.with({ cas: ['ca1'] });
  const first = await world.boot();
  const { answers, reply } = question();
  first.actor.send({ type: 'rotate', caller: operator('admin'), overlapMs, reason: 'it is time', reply });
  await first.steps.at(-1)?.effect();
  first.actor.stop();
  const { actor, records, standing } = await world.boot();
  expect(answers).toEqual([]);
  expect(actor.getSnapshot().value).toBe('overlap');
  expect(standing()).toEqual({ issuing: 'ca2', trusted: ['ca2', 'ca1'], serving: 'ca1' });
  expect(records.current.rotation?.reason).toContain('does not know');
  actor.stop();
});

it('says why it does not do what it is asked', async () => {
  const world = await World.with({ cas: ['ca0', 'ca1'] });
  const { actor, steps } = await world.boot();
  const ask = async (what: 'rotate' | 'forget', role: Role, fingerprint = ''): Promise<unknown> => {
    const { answers, reply } = question();
    const event = { caller: operator(role), overlapMs, reason: '', reply };
    if (what === 'rotate') actor.send({ type: 'rotate', ...event });
    else actor.send({ type: 'forget', fingerprint, ...event });
    await turns(1);
    return answers[0];
  };
  expect(await ask('rotate', 'approver')).toBe('authority.forbidden');
  expect(await ask('forget', 'approver', 'ca0')).toBe('authority.forbidden');
  expect(await ask('forget', 'admin', 'none')).toBe('authority.not_found');
  expect(await ask('forget', 'admin', 'ca1')).toBe('authority.in_use');
  expect(await ask('rotate', 'admin')).toBeUndefined();
  expect(await ask('rotate', 'admin')).toBe('authority.busy');
  for (let step = 0; step < 2; step++) {
    await steps.at(-1)?.succeed();
    await turns(1);
  }
  expect(await ask('rotate', 'admin')).toBe('authority.rotating');
  expect(await ask('rotate', 'approver')).toBe('authority.forbidden');
  expect(await ask('forget', 'admin', 'ca1')).toBe('authority.in_use');
  actor.stop();
});

afterAll(() => {
  coverage.expectAll();
});
