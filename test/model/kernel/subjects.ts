import { type AnyActorLogic, fromCallback, fromPromise, setup } from 'xstate';
import { contained, type Kernel, supervisor } from '../../../src/kernel/index.js';
import { boom, childSpec } from './fixture.js';

/** What a subject needs from its test. */
export interface SubjectWorld {
  readonly kernel: Kernel;
  /** What each incarnation owns and has to take with it. */
  readonly owned: AnyActorLogic;
  /** Called as each incarnation starts; may throw. */
  readonly onStart: () => void;
}

/** How a subject is made and how it is brought to its end. */
export interface Subject {
  readonly logic: AnyActorLogic;
  /** Brings the running incarnation to its end. Undefined: the subject fails by itself as it starts, or as it is stopped. */
  readonly end?: () => void;
  /** How many actors of `owned` each incarnation has. */
  readonly owns: number;
  /** How many deadlines each incarnation holds: each is set for an hour and has to go with it. */
  readonly holds: number;
}

const hourMs = 3_600_000;

/**
 * A machine that ends in every way that a machine can. While it is up it owns an actor, waits for an `after` and holds
 * a deadline of the kernel, so that whatever outlives it shows.
 */
function machine({ kernel, owned, onStart }: SubjectWorld, inner: AnyActorLogic = owned): AnyActorLogic {
  return setup({
    actors: { owned, inner },
    actions: {
      begin: ({ self }) => {
        kernel.deadlines.set(self, hourMs, () => {}, { label: 'held' });
        onStart();
      },
      explode: () => {
        throw boom;
      },
    },
    guards: {
      explode: () => {
        throw boom;
      },
    },
  }).createMachine({
    initial: 'up',
    invoke: inner === owned ? [] : { src: 'inner' },
    states: {
      up: {
        entry: 'begin',
        invoke: { src: 'owned' },
        after: { [hourMs]: 'end' },
        on: {
          'throw in action': { actions: 'explode' },
          'throw in guard': { guard: 'explode', target: 'end' },
          'callback failed': { actions: 'explode' },
          finish: 'end',
          'kernel.shutdown': 'end',
        },
      },
      end: { type: 'final' },
    },
  });
}

/**
 * A machine that does what a machine must with code that calls back late: catch, and send the error to itself. What is
 * thrown where nobody catches belongs to no actor, and Node ends the process.
 */
function lateCallback(world: SubjectWorld, throwers: (() => void)[]): AnyActorLogic {
  const late = fromCallback(({ sendBack }) => {
    const later = (): void => {
      try {
        throw boom;
      } catch (error) {
        sendBack({ type: 'callback failed', error });
      }
    };
    throwers.push(later);
  });
  return machine(world, late);
}

/**
 * Invoked by a machine that doesn't handle its failure. Owning an actor itself, it has to be `contained`: XState drops the
 * machine that crashed from its parent's table before the kernel can look for what it left running.
 */
function failingInvoked(
  { owned }: SubjectWorld,
  throwers: (() => void)[],
  owning: 'owns' | 'owns nothing',
): AnyActorLogic {
  return setup({
    actors: { owned },
    actions: {
      listen: ({ self }) => throwers.push(() => self.send({ type: 'throw' })),
      explode: () => {
        throw boom;
      },
    },
  }).createMachine({
    entry: 'listen',
    invoke: owning === 'owns' ? { src: 'owned' } : [],
    after: { [hourMs]: { actions: 'explode' } },
    on: { throw: { actions: 'explode' } },
  });
}

/** Crashes when it is asked to end. */
function failingStop({ kernel, owned, onStart }: SubjectWorld): AnyActorLogic {
  return setup({
    actors: { owned },
    actions: {
      begin: ({ self }) => {
        kernel.deadlines.set(self, hourMs, () => {});
        onStart();
      },
      explode: () => {
        throw boom;
      },
    },
  }).createMachine({
    entry: 'begin',
    invoke: { src: 'owned' },
    after: { [hourMs]: { actions: 'explode' } },
    on: { 'kernel.shutdown': { actions: 'explode' } },
  });
}

/** Deaf to `kernel.shutdown`, and what it owns throws as it is stopped by force. */
function failingForcedStop({ kernel, owned, onStart }: SubjectWorld): AnyActorLogic {
  const thrower = fromCallback(() => () => {
    throw boom;
  });
  return setup({
    actors: { owned, thrower },
    actions: {
      begin: ({ self }) => {
        kernel.deadlines.set(self, hourMs, () => {});
        onStart();
      },
    },
  }).createMachine({
    entry: 'begin',
    invoke: [{ src: 'owned' }, { src: 'thrower' }],
    after: { [hourMs]: {} },
  });
}

/** Code that calls back: throws at each event, or at its end, and holds a deadline meanwhile. */
function throwingCallback({ kernel, onStart }: SubjectWorld, at: 'an event' | 'its end'): AnyActorLogic {
  const fail = (): never => {
    throw boom;
  };
  return fromCallback(({ self, receive }) => {
    kernel.deadlines.set(self, hourMs, () => {});
    onStart();
    if (at === 'its end') return fail;
    receive(fail);
    return () => {};
  });
}

/** A supervisor whose only child crashes once too often. */
function failingSupervisor(world: SubjectWorld): AnyActorLogic {
  const { kernel, owned } = world;
  return supervisor({
    kernel,
    strategy: 'one_for_one',
    intensity: { restarts: 0, withinMs: 1_000 },
    children: [childSpec('before', owned), childSpec('grandchild', machine(world))],
  });
}

/** Every way to end, by its name in the table of tests. */
export const endings = {
  'throws in action': 'crash',
  'throws in guard': 'crash',
  'promise rejects': 'crash',
  'callback throws late': 'crash',
  'callback throws at an event': 'crash',
  finishes: 'end',
  'is stopped from outside': 'end',
  'child of child fails': 'crash',
  'child of child fails and leaves a child': 'crash',
  'child of child supervisor fails too often': 'crash',
  'fails while starting': 'start',
  'fails to make its input': 'start',
  'fails while stopping': 'stop',
  'fails while stopped by force': 'stop',
  'what it owns fails while stopped by force': 'stop',
} as const;
export type EndingName = keyof typeof endings;

/** Makes the subject of a row. `send` sends an event to the address of the child, `sendDeeper` to its grandchild's. */
export function subjectOf(
  ending: EndingName,
  world: SubjectWorld,
  send: (event: string) => void,
  sendDeeper: (event: string) => void,
): Subject {
  const throwers: (() => void)[] = [];
  const throwLast = (): void => throwers.at(-1)?.();
  const plain = { logic: machine(world), owns: 1, holds: 2 };
  switch (ending) {
    case 'throws in action':
      return { ...plain, end: () => send('throw in action') };
    case 'throws in guard':
      return { ...plain, end: () => send('throw in guard') };
    case 'finishes':
      return { ...plain, end: () => send('finish') };
    case 'is stopped from outside':
      return { ...plain, end: () => send('xstate.stop') };
    case 'promise rejects': {
      const logic = fromPromise(({ self }) => {
        world.kernel.deadlines.set(self, hourMs, () => {});
        world.onStart();
        return new Promise((_, reject) => throwers.push(() => reject(boom)));
      });
      return { logic, end: throwLast, owns: 0, holds: 1 };
    }
    case 'callback throws late':
      return { logic: lateCallback(world, throwers), end: throwLast, owns: 1, holds: 2 };
    case 'callback throws at an event':
      return { logic: throwingCallback(world, 'an event'), end: () => send('throw'), owns: 0, holds: 1 };
    case 'child of child fails': {
      const inner = failingInvoked(world, throwers, 'owns nothing');
      return { logic: machine(world, inner), end: throwLast, owns: 1, holds: 3 };
    }
    case 'child of child fails and leaves a child': {
      const inner = contained(failingInvoked(world, throwers, 'owns'));
      return { logic: machine(world, inner), end: throwLast, owns: 2, holds: 3 };
    }
    case 'child of child supervisor fails too often':
      return {
        logic: failingSupervisor(world),
        end: () => sendDeeper('throw in action'),
        owns: 2,
        holds: 2,
      };
    case 'fails while starting':
    case 'fails to make its input':
      return plain;
    case 'fails while stopping':
      return { logic: failingStop(world), owns: 1, holds: 2 };
    case 'fails while stopped by force':
      return { logic: throwingCallback(world, 'its end'), owns: 0, holds: 1 };
    case 'what it owns fails while stopped by force':
      return { logic: failingForcedStop(world), owns: 1, holds: 2 };
  }
}
