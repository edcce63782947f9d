import { describe, expect, it } from 'vitest';
import { fromCallback, setup } from 'xstate';
import { acceptedEvents, stateDescription } from './acceptance.js';
import { address } from './address.js';
import { type Senders, type VerifiedCaller, verifiedCaller } from './authority.js';
import { compile } from './compile.js';
import { crowd } from './crowd.js';
import type { Deadlines } from './deadlines.js';
import { explain } from './explain.js';
import { createKernel, startRoot } from './kernel.js';
import type { MachineMeta } from './machine-meta.js';
import { stateText } from './machine-text.js';
import { SimulatedClock } from './simulated-clock.js';
import { supervisor } from './supervisor.js';

type DoorEvent =
  | { type: 'push' }
  | { type: 'lock'; caller: VerifiedCaller }
  | { type: 'unlock'; caller: VerifiedCaller }
  | { type: 'close' };

const senders = {
  push: { from: 'somebody' },
  lock: { role: 'admin' },
  unlock: { role: 'admin' },
  close: { from: 'its spring' },
} as const satisfies Senders<DoorEvent>;

interface DoorInput {
  readonly deadlines: Deadlines;
}

const door = setup({
  types: {
    context: {} as DoorInput,
    input: {} as DoorInput,
    events: {} as DoorEvent,
    meta: {} as MachineMeta,
  },
  guards: { 'is allowed': ({ event }) => event.type === 'lock' },
  actions: {
    'wind the spring': ({ context, self }) => {
      context.deadlines.sendAfter(self, 5_000, { type: 'close' }, { label: 'spring' });
    },
    complain: () => {},
  },
}).createMachine({
  id: 'door',
  meta: { senders },
  context: ({ input }) => input,
  initial: 'closed',
  states: {
    closed: {
      description: 'It is shut',
      on: {
        push: { target: 'open', description: 'It opens' },
        lock: [
          { guard: 'is allowed', target: 'locked', description: 'It is locked' },
          { actions: 'complain', meta: { refuses: true } },
        ],
        unlock: { actions: 'complain', meta: { refuses: true } },
      },
    },
    open: {
      description: 'It stands open',
      entry: 'wind the spring',
      on: { close: { target: 'closed', description: 'It falls shut' } },
    },
    locked: { type: 'final', description: 'Nobody opens it again' },
  },
});

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const at = address('door', 'front');
const history = [{ version: 1, at: 500, event: 'build', by: 'operator:ada', from: '', to: 'closed' }];
const recorded = { state: 'closed', since: 500, history, machine: door };

function house(remember = 10) {
  const clock = new SimulatedClock(1_000);
  const kernel = createKernel({ clock, log: quiet });
  const doors = crowd({
    kernel,
    name: 'doors',
    logic: compile(door),
    address: (key) => address('door', key),
    shutdownMs: 0,
    remember,
  });
  const child = {
    id: 'doors',
    address: address('doors'),
    logic: doors,
    restart: 'permanent',
    shutdown: 'brutal',
  } as const;
  startRoot(kernel, supervisor({ kernel, strategy: 'one_for_one', children: [child] }));
  const input: DoorInput = { deadlines: kernel.deadlines };
  kernel.directory.send(address('doors'), { type: 'crowd.start', key: 'front', input } as never);
  return { clock, kernel };
}

describe('explain', () => {
  it('says where an actor is, what it takes from whom, what came before and what comes next', async () => {
    const { clock, kernel } = house();
    clock.advance(50);
    kernel.directory.send(at, { type: 'push' });
    clock.advance(1_000);
    expect(await explain(kernel, at, recorded)).toEqual({
      address: 'door/front',
      state: 'closed',
      actorState: 'open',
      ended: false,
      since: 500,
      description: 'It stands open',
      history: [
        ...history,
        { version: 1, at: 1_050, event: 'push', by: 'somebody', from: 'closed', to: 'open' },
      ],
      accepts: [
        {
          event: 'close',
          sender: 'its spring',
          permission: false,
          branches: [{ target: 'closed', description: 'It falls shut' }],
        },
      ],
      deadlines: [{ label: 'spring', event: 'close', inMs: 4_000, at: 6_050 }],
      next: { at: 6_050, label: 'spring', leadsTo: ['It falls shut'] },
    });
    clock.advance(4_000);
    expect(await explain(kernel, at)).toMatchObject({
      state: 'closed',
      actorState: 'closed',
      deadlines: [],
      next: undefined,
    });
  });

  it('names who may and leaves out what would only be refused', async () => {
    const { kernel } = house();
    expect((await explain(kernel, at))?.accepts).toEqual([
      {
        event: 'push',
        sender: 'somebody',
        permission: false,
        branches: [{ target: 'open', description: 'It opens' }],
      },
      {
        event: 'lock',
        sender: 'an operator with the role admin',
        permission: true,
        branches: [{ guard: 'is allowed', target: 'locked', description: 'It is locked' }],
      },
    ]);
  });

  it('remembers the latest transitions only, who caused them, and none unless asked', async () => {
    const { clock, kernel } = house(3);
    for (let count = 0; count < 4; count++) {
      kernel.directory.send(at, { type: 'push' });
      clock.advance(5_000);
    }
    const remembered = (await explain(kernel, at))?.history ?? [];
    expect(remembered.map(({ version, event, by }) => [version, event, by])).toEqual([
      [6, 'close', 'its spring'],
      [7, 'push', 'somebody'],
      [8, 'close', 'its spring'],
    ]);
    const forgetful = house(0);
    forgetful.kernel.directory.send(at, { type: 'push' });
    expect((await explain(forgetful.kernel, at))?.history).toEqual([]);
  });

  it('explains a record whose actor has ended, or runs no more, from the record alone', async () => {
    const { kernel } = house();
    const caller = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
    const lock: DoorEvent = { type: 'lock', caller };
    kernel.directory.send(at, lock);
    expect(await explain(kernel, at)).toBeUndefined();
    const locked = await explain(kernel, at, { ...recorded, state: 'locked' });
    expect(locked).toMatchObject({
      state: 'locked',
      actorState: undefined,
      ended: true,
      description: 'Nobody opens it again',
      history,
      accepts: [],
      next: undefined,
    });
    const orphaned = await explain(kernel, at, recorded);
    expect(orphaned).toMatchObject({ ended: false, description: expect.stringContaining('No actor runs') });
  });

  it('sees an actor without a machine as active', async () => {
    const { kernel } = house();
    const logic = fromCallback(() => {});
    const child = {
      id: 'c',
      address: address('plain'),
      logic,
      restart: 'permanent',
      shutdown: 'brutal',
    } as const;
    startRoot(kernel, supervisor({ kernel, strategy: 'one_for_one', children: [child] }));
    expect(await explain(kernel, address('plain'))).toMatchObject({ state: 'active', accepts: [] });
  });
});

describe('a nested machine', () => {
  const nested = setup({ types: { events: {} as { type: 'go' } | { type: 'stop' } } }).createMachine({
    description: 'A car',
    initial: 'on',
    on: { stop: '.off' },
    states: {
      on: {
        description: 'runs',
        initial: 'slow',
        on: { stop: 'off' },
        states: { slow: { description: 'gently', on: { go: 'fast' } }, fast: {} },
      },
      off: {},
    },
  });

  it('is described from the outside in, and asked from the inside out', () => {
    const value = { on: 'slow' };
    expect(stateText(value)).toBe('on.slow');
    expect(stateDescription(nested, value)).toBe('A car. runs. gently');
    expect(acceptedEvents(nested, value)).toEqual([
      { event: 'go', sender: 'anyone', permission: false, branches: [{ target: 'fast' }] },
      {
        event: 'stop',
        sender: 'anyone',
        permission: false,
        branches: [{ target: 'off' }, { target: 'off' }],
      },
    ]);
  });
});
