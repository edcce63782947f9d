import { describe, expect, it } from 'vitest';
import { type AnyActorLogic, fromCallback, setup } from 'xstate';
import { address, type ChildSpec, crowd, startRoot, supervisor } from '../../../src/kernel/index.js';
import { boom, childSpec, makeKernel, makeProbes, send } from './fixture.js';

/*
 * Who is brought down by something that is in the middle of an event, far below it, ends before that. The next incarnation
 * has to wait for all of the last one to be gone, or two of them would run for a while.
 */

/** How the nest comes to its end, and what stands between it and the supervisor of `deep`. */
const nests = [
  ['its sibling crashes', '1 supervisor'],
  ['its sibling crashes', '2 supervisors'],
  ['its sibling crashes', 'a machine'],
  ['its sibling crashes', 'a machine and a supervisor'],
  ['its sibling crashes', 'a crowd'],
  ['its sibling crashes', 'a crowd and a supervisor'],
  ['it crashes', 'a machine'],
  ['it crashes', 'a machine and a supervisor'],
  ['it finishes', 'a machine'],
  ['it finishes', 'a machine and a supervisor'],
  ['it is stopped', '1 supervisor'],
  ['it is stopped', 'a machine'],
  ['it is stopped', 'a crowd'],
] as const;
type How = (typeof nests)[number][0];
type Around = (typeof nests)[number][1];

/** A root with `victim`, and the nest after it: both are permanent, and the nest goes down with the victim. */
class Nest {
  readonly #world = makeKernel();
  readonly #probes = makeProbes();
  readonly log: string[] = [];
  readonly #how: How;

  constructor(how: How, around: Around, deep: (nest: Nest) => readonly ChildSpec[]) {
    this.#how = how;
    const { kernel } = this;
    const { probe } = this.#probes;
    const above = (id: string, logic: AnyActorLogic): AnyActorLogic =>
      supervisor({ kernel, strategy: 'one_for_one', children: [childSpec(id, logic)] });
    let logic: AnyActorLogic = supervisor({
      kernel,
      strategy: 'one_for_one',
      children: [childSpec('sibling', probe('sibling')), ...deep(this)],
    });
    if (!around.endsWith('a machine') && !around.endsWith('a crowd')) logic = above('lower', logic);
    if (around === '2 supervisors') logic = above('upper', logic);
    if (around.startsWith('a machine')) logic = this.#machine(logic);
    if (around.startsWith('a crowd')) logic = this.#crowd(logic);
    startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'rest_for_one',
        intensity: { restarts: 1, withinMs: 60_000 },
        children: [
          childSpec('victim', crashing(probe('victim'))),
          childSpec('nest', logic),
          ...(around.startsWith('a crowd') ? [childSpec('recovery', this.#recovery())] : []),
        ],
      }),
    );
    this.log.length = 0;
  }

  get kernel() {
    return this.#world.kernel;
  }

  bringDown(): void {
    const [target, event] = {
      'its sibling crashes': ['victim', 'throw'] as const,
      'it crashes': ['nest', 'throw'] as const,
      'it finishes': ['nest', 'finish'] as const,
      'it is stopped': ['nest', 'xstate.stop'] as const,
    }[this.#how];
    send(this.kernel, target, event);
  }

  /** It all came up again at once, and nothing is left of what ended. */
  expectUp(): void {
    const { clock, errors } = this.#world;
    expect(errors).toEqual(this.#how === 'its sibling crashes' || this.#how === 'it crashes' ? [boom] : []);
    expect(this.#probes.alive()).toEqual(['sibling', 'victim']);
    expect(this.kernel.deadlines.size).toBe(0);
    this.log.length = 0;
    clock.advance(3_600_000);
    expect(this.log).toEqual([]);
    expect(this.#probes.starts('sibling')).toBe(2);
  }

  #machine(logic: AnyActorLogic): AnyActorLogic {
    return setup({
      actors: { logic },
      actions: {
        explode: () => {
          throw boom;
        },
      },
    }).createMachine({
      initial: 'up',
      states: {
        up: { invoke: { src: 'logic' }, on: { throw: { actions: 'explode' }, finish: 'end' } },
        end: { type: 'final' },
      },
    });
  }

  #crowd(logic: AnyActorLogic): AnyActorLogic {
    return crowd({
      kernel: this.kernel,
      name: 'members',
      logic,
      address: (key) => address('member', key),
      shutdownMs: 1_000,
    });
  }

  /** As in the daemon: starts the members anew when their crowd was. */
  #recovery(): AnyActorLogic {
    return fromCallback(() => {
      send(this.kernel, 'nest', { type: 'crowd.start', key: 'one', input: undefined });
    });
  }
}

function crashing(owned: AnyActorLogic): AnyActorLogic {
  return setup({
    actors: { owned },
    actions: {
      explode: () => {
        throw boom;
      },
    },
  }).createMachine({ invoke: { src: 'owned' }, on: { throw: { actions: 'explode' } } });
}

describe.each(nests)('when %s, from below: %s', (how, around) => {
  it('is gone before its successor starts: from a start', () => {
    let starts = 0;
    const nest = new Nest(how, around, (self) => [
      childSpec(
        'deep',
        fromCallback(() => {
          starts += 1;
          const start = starts;
          self.log.push(`+${start}`);
          if (start === 2) self.bringDown();
          self.log.push(`up ${start}`);
          return () => self.log.push(`-${start}`);
        }),
      ),
    ]);
    send(nest.kernel, 'deep', 'xstate.stop');
    expect(nest.log).toEqual(['-1', '+2', 'up 2', '-2', '+3', 'up 3']);
    nest.expectUp();
  });

  /** Brings the nest down at the event `work`, and holds a deadline from there on. */
  const worker = (self: Nest, before: () => void): AnyActorLogic =>
    fromCallback(({ receive, self: actor }) => {
      self.log.push('+');
      receive(() => {
        before();
        self.kernel.deadlines.set(actor, 3_600_000, () => self.log.push('fired'), { label: 'late' });
        self.log.push('worked');
      });
      return () => self.log.push('-');
    });

  it('is gone before its successor starts, with the deadlines of its last event: from an event', () => {
    const nest = new Nest(how, around, (self) => [
      childSpec(
        'deep',
        worker(self, () => self.bringDown()),
      ),
    ]);
    nest.kernel.directory.watch(address('deep'), ({ kind }) => nest.log.push(kind));
    send(nest.kernel, 'deep', 'work');
    expect(nest.log).toEqual(['worked', '-', 'stopped', '+']);
    nest.expectUp();
  });

  it('is gone before its successor starts: from the start of another, in an event', () => {
    let starts = 0;
    const nest = new Nest(how, around, (self) => [
      childSpec(
        'other',
        fromCallback(() => {
          starts += 1;
          if (starts === 2) self.bringDown();
          self.log.push(`other ${starts}`);
        }),
      ),
      childSpec(
        'deep',
        worker(self, () => send(self.kernel, 'other', 'xstate.stop')),
      ),
    ]);
    send(nest.kernel, 'deep', 'work');
    expect(nest.log).toEqual(['other 2', 'worked', '-', 'other 3', '+']);
    nest.expectUp();
  });
});

it('leaves no deadline of a supervisor that a machine invoked, and that is done before its limit', () => {
  const { kernel } = makeKernel();
  const { alive, probe } = makeProbes();
  const invoked = supervisor({
    kernel,
    strategy: 'one_for_one',
    shutdownMs: 1_000,
    children: [childSpec('child', probe('child'), { shutdown: 500 })],
  });
  const machine = setup({ actors: { invoked } }).createMachine({
    initial: 'up',
    invoke: { src: 'invoked', id: 'invoked', onDone: '.idle' },
    states: {
      up: {
        on: {
          drain: {
            actions: ({ self }) =>
              self.getSnapshot().children.invoked?.send({ type: 'kernel.shutdown', reason: 'test' }),
          },
        },
      },
      idle: {},
    },
  });
  startRoot(
    kernel,
    supervisor({ kernel, strategy: 'one_for_one', children: [childSpec('machine', machine)] }),
  );
  send(kernel, 'machine', 'drain');
  expect(kernel.deadlines.size).toBe(2);
  send(kernel, 'child', 'xstate.stop');
  expect(alive()).toEqual([]);
  expect(kernel.deadlines.size).toBe(0);
});
