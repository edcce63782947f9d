import { describe, expect, it } from 'vitest';
import {
  type AnyStateMachine,
  assign,
  createActor,
  enqueueActions,
  fromPromise,
  fromTransition,
  raise,
  sendTo,
  setup,
  spawnChild,
  stateIn,
} from 'xstate';
import { address } from './address.js';
import { compile } from './compile.js';
import { type CrowdEvent, crowd } from './crowd.js';
import { AppError } from './errors.js';
import { createKernel, startRoot } from './kernel.js';
import { SimulatedClock } from './simulated-clock.js';
import { supervisor } from './supervisor.js';

const other = fromPromise(async () => undefined);
const base = setup({
  types: { events: {} as { type: 'go' } | { type: 'back' }, context: {} as { n: number } },
  actors: { other },
  actions: { known: () => undefined },
  guards: { known: () => true },
});
const context = { n: 0 };
/** What no type would allow, as plain JavaScript might write it. */
const untyped = (config: object): AnyStateMachine =>
  base.createMachine(config as Parameters<typeof base.createMachine>[0]);

const refused: readonly (readonly [string, AnyStateMachine, string])[] = [
  [
    'nested states',
    base.createMachine({ context, initial: 'a', states: { a: { initial: 'b', states: { b: {} } } } }),
    "its state 'a' has nested states",
  ],
  [
    'a parallel state',
    base.createMachine({
      context,
      initial: 'a',
      states: { a: { type: 'parallel', states: { b: {}, c: {} } } },
    }),
    "its state 'a' has parallel states",
  ],
  [
    'a parallel root',
    base.createMachine({ context, type: 'parallel', states: { a: {}, b: {} } }),
    'its root has parallel states',
  ],
  [
    'a history state',
    base.createMachine({ context, initial: 'a', states: { a: {}, h: { type: 'history' } } }),
    "its state 'h' has a history state",
  ],
  ['a machine without states', base.createMachine({ context }), 'its root has no states'],
  [
    'invoke',
    base.createMachine({ context, initial: 'a', states: { a: { invoke: { src: 'other' } } } }),
    "its state 'a' has 'invoke'",
  ],
  [
    'invoke on the root',
    base.createMachine({ context, initial: 'a', invoke: { src: 'other' }, states: { a: {} } }),
    "its root has 'invoke'",
  ],
  [
    'after',
    base.createMachine({ context, initial: 'a', states: { a: { after: { 10: 'a' } } } }),
    "its state 'a' has 'after'",
  ],
  [
    'onDone',
    untyped({ context, initial: 'a', onDone: { actions: 'known' }, states: { a: {} } }),
    "its root has 'onDone'",
  ],
  [
    'a wildcard',
    base.createMachine({ context, initial: 'a', states: { a: { on: { '*': 'a' } } } }),
    "its state 'a' has the wildcard event '*'",
  ],
  [
    'a partial wildcard',
    untyped({ context, initial: 'a', on: { 'go.*': {} }, states: { a: {} } }),
    "its root has the wildcard event 'go.*'",
  ],
  [
    "one of XState's events",
    untyped({ context, initial: 'a', states: { a: { on: { 'xstate.done.actor.x': 'a' } } } }),
    "its state 'a' has XState's own event 'xstate.done.actor.x'",
  ],
  [
    'the root as target',
    untyped({ id: 'm', context, initial: 'a', states: { a: { on: { go: '#m' } } } }),
    "its state 'a' has a transition to the machine itself",
  ],
  [
    'raise',
    base.createMachine({ context, initial: 'a', states: { a: { entry: raise({ type: 'go' }) } } }),
    "its state 'a' has the action raise()",
  ],
  [
    'sendTo',
    base.createMachine({
      context,
      initial: 'a',
      states: { a: { exit: sendTo('x', { type: 'go' }) } },
    }),
    "its state 'a' has the action sendTo()",
  ],
  [
    'spawnChild',
    base.createMachine({
      context,
      initial: 'a',
      states: { a: { on: { go: { actions: spawnChild('other') } } } },
    }),
    "its state 'a' has the action spawnChild()",
  ],
  [
    'enqueueActions behind a name',
    setup({ actions: { several: enqueueActions(() => undefined) } }).createMachine({
      initial: 'a',
      states: { a: { always: { guard: () => false, actions: 'several' } } },
    }),
    "its state 'a' has the action enqueueActions()",
  ],
  [
    'stateIn',
    base.createMachine({ context, initial: 'a', states: { a: { on: { go: { guard: stateIn('a') } } } } }),
    "its state 'a' has the guard stateIn()",
  ],
  [
    'an unknown action',
    untyped({ context, initial: 'a', entry: 'unknown', states: { a: {} } }),
    "its root has the action 'unknown', which has no implementation",
  ],
  [
    'an action named like a method of every object',
    untyped({ context, initial: 'a', states: { a: { entry: 'toString' } } }),
    "its state 'a' has the action 'toString', which has no implementation",
  ],
  [
    'an unknown guard',
    untyped({ context, initial: 'a', states: { a: { on: { go: { guard: 'unknown', target: 'a' } } } } }),
    "its state 'a' has the guard 'unknown', which has no implementation",
  ],
];

describe('compile()', () => {
  it.each(refused)('refuses %s', (_, machine, expected) => {
    const compiled = (): unknown => compile(machine);
    expect(compiled).toThrow(AppError);
    expect(compiled).toThrow(expected);
    expect(compiled).toThrow(
      expect.objectContaining({ code: 'kernel.bad_machine', hint: expect.any(String) }),
    );
  });

  it('keeps the types of the machine', () => {
    const machine = setup({
      types: { events: {} as { type: 'set'; to: number }, context: {} as { n: number }, input: {} as number },
    }).createMachine({
      context: ({ input }) => ({ n: input }),
      initial: 'a',
      states: { a: { on: { set: { actions: assign({ n: ({ event }) => event.to }) } } } },
    });
    const logic = compile(machine);
    const actor = createActor(logic, { input: 1 }).start();
    actor.send({ type: 'set', to: 7 });
    const snapshot = actor.getSnapshot();
    const value: 'a' = snapshot.value;
    const n: number = snapshot.context.n;
    expect([value, n, snapshot.matches('a'), snapshot.can({ type: 'set', to: 1 })]).toEqual([
      'a',
      7,
      true,
      true,
    ]);
    expect(logic.machine).toBe(machine);
  });

  it('fails a machine that never settles, also when it sets no limit', () => {
    const flip = setup({}).createMachine({
      initial: 'a',
      states: { a: { always: 'b' }, b: { always: 'a' } },
    });
    const { status, error } = createActor(compile(flip)).getSnapshot();
    expect(status).toBe('error');
    expect(String(error)).toContain('more than 1000 microsteps');
  });

  it('names the guard that threw, and keeps its error as the cause', () => {
    const boom = new Error('boom');
    const machine = setup({
      guards: {
        explosive: () => {
          throw boom;
        },
      },
    }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { on: { go: { guard: 'explosive', target: 'a' } } } },
    });
    const actor = createActor(compile(machine));
    actor.subscribe({ error: () => undefined });
    actor.start().send({ type: 'go' });
    const error = actor.getSnapshot().error as Error;
    expect(error.message).toContain(
      "guard 'explosive' in transition for event 'go' in state node 'm.a':\nboom",
    );
    expect(error.cause).toBe(boom);
  });

  it('refuses to spawn', () => {
    const machine = base.createMachine({
      context: ({ spawn }) => {
        spawn('other');
        return context;
      },
      initial: 'a',
      states: { a: {} },
    });
    const { status, error } = createActor(compile(machine)).getSnapshot();
    expect(status).toBe('error');
    expect(error).toMatchObject({ code: 'kernel.bad_machine' });
  });

  it('refuses a persisted snapshot of another machine', () => {
    const logic = compile(base.createMachine({ context, initial: 'a', states: { a: {} } }));
    const snapshot = { ...createActor(logic).getPersistedSnapshot(), value: 'gone' };
    const actor = createActor(logic, { snapshot });
    actor.subscribe({ error: () => undefined });
    actor.start().send({ type: 'go' });
    expect(actor.getSnapshot().error).toMatchObject({
      message: "The machine '(machine)' has no state 'gone'",
    });
  });

  it('takes what an actor sends itself after the transition is complete', () => {
    const order: string[] = [];
    const machine = setup({ types: { events: {} as { type: 'go' } | { type: 'next' } } }).createMachine({
      initial: 'a',
      states: {
        a: {
          on: {
            go: {
              target: 'b',
              actions: [({ self }) => self.send({ type: 'next' }), () => order.push('sent')],
            },
          },
        },
        b: { entry: () => order.push('entered b'), on: { next: 'c' } },
        c: { type: 'final', entry: () => order.push('entered c') },
      },
    });
    createActor(compile(machine)).start().send({ type: 'go' });
    expect(order).toEqual(['sent', 'entered b', 'entered c']);
  });

  it('tells its parent its output when it is done', () => {
    const heard: unknown[] = [];
    const parent = createActor(fromTransition((_, event) => void heard.push(event), undefined)).start();
    const machine = setup({ types: { context: {} as { n: number } } }).createMachine({
      context,
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { type: 'final', output: ({ context: { n } }) => n + 1 } },
      output: ({ event }) => event.output,
    });
    createActor(compile(machine), { parent, id: 'child' }).start().send({ type: 'go' });
    expect(heard).toEqual([{ type: 'xstate.done.actor.child', actorId: 'child', output: 1 }]);
  });

  it('lives in a crowd: done, crashed and revived, stopped', () => {
    const boom = new Error('boom');
    const machine = setup({
      types: { events: {} as { type: 'throw' } | { type: 'finish' }, input: {} as string },
    }).createMachine({
      initial: 'up',
      states: {
        up: {
          on: {
            finish: 'end',
            throw: {
              actions: () => {
                throw boom;
              },
            },
          },
        },
        end: { type: 'final' },
      },
    });
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const clock = new SimulatedClock();
    const kernel = createKernel({ clock, log });
    const { directory } = kernel;
    const revived: [string, unknown][] = [];
    const jobs = crowd({
      kernel,
      name: 'jobs',
      logic: compile(machine),
      address: (key) => address('job', key),
      revive(key, error) {
        revived.push([key, error]);
        return key;
      },
      shutdownMs: 0,
    });
    const tree = supervisor({
      kernel,
      strategy: 'one_for_one',
      children: [
        { id: 'jobs', address: address('jobs'), logic: jobs, restart: 'permanent', shutdown: 'brutal' },
      ],
    });
    startRoot(kernel, tree);
    const tell = (event: CrowdEvent): boolean => directory.send(address('jobs'), event);
    for (const key of ['a', 'b', 'c']) tell({ type: 'crowd.start', key, input: key });
    directory.send(address('job', 'a'), { type: 'finish' });
    directory.send(address('job', 'b'), { type: 'throw' });
    tell({ type: 'crowd.stop', key: 'c' });
    clock.advance(1);
    expect(directory.addresses('job/')).toEqual(['job/b']);
    expect(revived).toEqual([['b', boom]]);
    directory.send(address('job', 'b'), { type: 'throw' });
    expect(directory.addresses('job/')).toEqual([]);
  });
});
