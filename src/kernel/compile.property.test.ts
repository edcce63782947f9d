import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyActorLogic, and, assign, createActor, fromTransition, not, or, setup } from 'xstate';
import { propertyRuns } from '../../test/support/property-runs.js';
import { compile } from './compile.js';

const numRuns = propertyRuns(1_500);

/** A machine in data, so that it can be generated, shrunk, and built twice with a trace of its own each time. */
interface Blueprint {
  readonly states: readonly StatePlan[];
  readonly root: NodePlan;
  readonly initialActions: readonly ActionPlan[];
  readonly output: boolean;
  readonly start: number;
}

interface NodePlan {
  readonly entry: readonly ActionPlan[];
  readonly exit: readonly ActionPlan[];
  readonly on: Readonly<Record<string, readonly TransitionPlan[]>>;
  readonly always: readonly TransitionPlan[];
}

interface StatePlan extends NodePlan {
  readonly final: boolean;
  readonly output: boolean;
}

interface TransitionPlan {
  readonly guard: GuardPlan | undefined;
  /** Modulo the number of states. */
  readonly target: number | undefined;
  readonly reenter: boolean;
  readonly actions: readonly ActionPlan[];
}

interface ActionPlan {
  readonly kind:
    | 'note'
    | 'note here'
    | 'note with'
    | 'add'
    | 'add here'
    | 'add by key'
    | 'add with'
    | 'throw'
    | 'send';
  readonly by: number;
}

interface GuardPlan {
  readonly kind: 'divides' | 'divides here' | 'divides with' | 'not' | 'and' | 'or' | 'throws';
  readonly by: number;
}

const types = ['a', 'b', 'c'];

const action: fc.Arbitrary<ActionPlan> = fc.record({
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('note', 'note here', 'note with') },
    { weight: 12, arbitrary: fc.constantFrom('add', 'add here', 'add by key', 'add with') },
    { weight: 1, arbitrary: fc.constant('throw') },
    { weight: 2, arbitrary: fc.constant('send') },
  ) as fc.Arbitrary<ActionPlan['kind']>,
  by: fc.integer({ min: 1, max: 6 }),
});
const actions = fc.array(action, { maxLength: 2 });

const guard: fc.Arbitrary<GuardPlan> = fc.record({
  kind: fc.oneof(
    {
      weight: 12,
      arbitrary: fc.constantFrom('divides', 'divides here', 'divides with', 'not', 'and', 'or'),
    },
    { weight: 1, arbitrary: fc.constant('throws') },
  ) as fc.Arbitrary<GuardPlan['kind']>,
  by: fc.integer({ min: 1, max: 4 }),
});

const transition: fc.Arbitrary<TransitionPlan> = fc.record({
  guard: fc.option(guard, { nil: undefined, freq: 3 }),
  target: fc.option(fc.nat({ max: 9 }), { nil: undefined, freq: 3 }),
  reenter: fc.boolean(),
  actions,
});
const guarded = fc.record({
  guard,
  target: fc.option(fc.nat({ max: 9 }), { nil: undefined, freq: 3 }),
  reenter: fc.boolean(),
  actions,
});
const on = fc.dictionary(fc.constantFrom(...types), fc.array(transition, { minLength: 1, maxLength: 3 }));
const always = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(guarded, { minLength: 1, maxLength: 2 }) },
);
const node = { entry: actions, exit: actions, on, always };

const blueprint: fc.Arbitrary<Blueprint> = fc.record({
  states: fc.array(
    fc.record({
      ...node,
      final: fc.integer({ min: 0, max: 4 }).map((one) => one === 0),
      output: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  root: fc.record(node),
  initialActions: actions,
  output: fc.boolean(),
  start: fc.nat({ max: 9 }),
});

interface CounterContext {
  readonly n: number;
}

/** Builds the machine. What its guards and actions see goes to the trace. */
function build(plan: Blueprint, trace: string[]) {
  let sends = 0;
  const see = (what: string, by: number, args: { context: CounterContext; event: { type: string } }) =>
    trace.push(`${what} ${by}: n=${args.context.n} at ${args.event.type}`);
  const base = setup({
    types: {
      context: {} as CounterContext,
      events: {} as { type: string },
      input: {} as { n: number },
    },
    actions: {
      note: (args, { by }: { by: number }) => {
        see('note', by, args);
      },
      add: assign((args, { by }: { by: number }) => {
        see('add', by, args);
        return { n: args.context.n + by };
      }),
    },
    guards: {
      divides: (args, { by }: { by: number }) => {
        see('divides?', by, args);
        return args.context.n % by === 0;
      },
      even: (args) => {
        see('even?', 2, args);
        return args.context.n % 2 === 0;
      },
    },
  });
  const actionOf = ({ kind, by }: ActionPlan) => {
    switch (kind) {
      case 'note':
        return { type: 'note' as const, params: { by } };
      case 'note here':
        return base.createAction(({ context, event, self, system }) => {
          see('note here', by, { context, event });
          trace.push(`${self.id} in ${typeof system.get}, ${self.getSnapshot()?.status}`);
        });
      case 'note with':
        return {
          type: 'note' as const,
          params: ({ context }: { context: CounterContext }) => ({ by: context.n }),
        };
      case 'add':
        return { type: 'add' as const, params: { by } };
      case 'add here':
        return base.assign((args) => {
          see('add here', by, args);
          return { n: args.context.n + by };
        });
      case 'add by key':
        return base.assign({
          n: (args) => {
            see('add by key', by, args);
            return args.context.n + by;
          },
        });
      case 'add with':
        return {
          type: 'add' as const,
          params: ({ context }: { context: CounterContext }) => ({ by: context.n % 3 }),
        };
      case 'throw':
        return base.createAction((args) => {
          see('throw', by, args);
          throw new Error(`action ${by}`);
        });
      case 'send':
        return base.createAction(({ self }) => {
          sends += 1;
          trace.push(`send ${sends}`);
          if (sends < 4) self.send({ type: types[by % 3] ?? 'a' });
        });
    }
  };
  const guardOf = ({ kind, by }: GuardPlan) => {
    const divides = { type: 'divides' as const, params: { by } };
    switch (kind) {
      case 'divides':
        return divides;
      case 'divides here':
        return (args: { context: CounterContext; event: { type: string } }) => {
          see('divides here?', by, args);
          return args.context.n % by === 0;
        };
      case 'divides with':
        return {
          type: 'divides' as const,
          params: ({ context }: { context: CounterContext }) => ({ by: (context.n % 3) + 1 }),
        };
      case 'not':
        return not(divides);
      case 'and':
        return and(['even', divides]);
      case 'or':
        return or([not('even'), divides]);
      case 'throws':
        return (args: { context: CounterContext; event: { type: string } }) => {
          see('throws?', by, args);
          if (args.context.n % 5 === 0) throw new Error(`guard ${by}`);
          return true;
        };
    }
  };
  const keyOf = (index: number): string => `s${index % plan.states.length}`;
  const transitionOf = (one: TransitionPlan, prefix: string) => ({
    ...(one.guard ? { guard: guardOf(one.guard) } : {}),
    ...(one.target === undefined ? {} : { target: prefix + keyOf(one.target) }),
    reenter: one.reenter,
    actions: one.actions.map(actionOf),
  });
  const nodeOf = (one: NodePlan, prefix: string) => ({
    entry: one.entry.map(actionOf),
    exit: one.exit.map(actionOf),
    on: Object.fromEntries(
      Object.entries(one.on).map(([type, all]) => [type, all.map((plan) => transitionOf(plan, prefix))]),
    ),
    always: one.always.map((plan) => transitionOf(plan, prefix)),
  });
  const stateOf = (one: StatePlan, index: number) => {
    // Not traced: XState calls it twice when the machine has an output too.
    const output = ({ context, event }: { context: CounterContext; event: { type: string } }) =>
      `${context.n} at ${event.type}`;
    if (!one.final) return { ...nodeOf(one, ''), tags: [`tag${index}`] };
    const { entry, exit } = nodeOf(one, '');
    return { type: 'final' as const, entry, exit, ...(one.output ? { output } : {}) };
  };
  const config = {
    id: 'random',
    context: ({ input }: { input: { n: number } }) => ({ n: input.n }),
    initial: { target: keyOf(plan.start), actions: plan.initialActions.map(actionOf) },
    ...nodeOf(plan.root, '.'),
    tags: ['root'],
    states: Object.fromEntries(plan.states.map((one, index) => [`s${index}`, stateOf(one, index)])),
    ...(plan.output
      ? {
          output: ({
            context,
            event,
          }: {
            context: CounterContext;
            event: { type: string; output?: unknown };
          }) => `${context.n} ${event.type} ${String(event.output)}`,
        }
      : {}),
    options: { maxIterations: 12 },
  };
  // The generated shape is a machine's, but only the generator knows which names it uses.
  return base.createMachine(config as Parameters<typeof base.createMachine>[0]);
}

/** The life of one actor, as seen from outside: the snapshot after each step, what was done, what its parent heard. */
function live(logic: AnyActorLogic, trace: string[], n: number, events: readonly { type: string }[]) {
  const heard: unknown[] = [];
  const parent = createActor(fromTransition((_, event) => void heard.push(event), undefined)).start();
  const actor = createActor(logic, { parent, id: 'child', input: { n } });
  const seen: unknown[] = [];
  const look = (): void => {
    const snapshot = actor.getSnapshot();
    const attempt = (ask: () => unknown): unknown => {
      try {
        return ask();
      } catch (error) {
        return String(error);
      }
    };
    seen.push({
      status: snapshot.status,
      value: snapshot.value,
      context: snapshot.context,
      output: snapshot.output,
      error: String(snapshot.error),
      matches: [snapshot.matches('s0'), snapshot.matches('s1')],
      // XState shows the first state of an actor that failed while it was made, but without its tags.
      tagged: snapshot.status === 'error' || ['tag0', 'tag1', 'root'].map((tag) => snapshot.hasTag(tag)),
      can: [...types, 'other'].map((type) => attempt(() => snapshot.can({ type }))),
      trace: trace.length,
    });
  };
  look();
  actor.start();
  look();
  for (const event of events) {
    if (actor.getSnapshot().status !== 'active') break;
    actor.send(event);
    look();
  }
  parent.stop();
  const told = heard.map((event) =>
    JSON.stringify(event, (_, value) => (value instanceof Error ? String(value) : value)),
  );
  return { seen, told, trace };
}

const sequence = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...types, 'other').map((type) => ({ type })) },
    {
      weight: 1,
      arbitrary: fc.constant({ type: 'xstate.error.actor.stranger', error: new Error('stranger') }),
    },
    { weight: 1, arbitrary: fc.constant({ type: 'xstate.stop' }) },
  ),
  { maxLength: 8 },
);

describe('compile(), against XState on random machines', () => {
  it(
    'gives the same snapshots, actions in the same order and the same signals to the parent',
    () => {
      const reached = { done: 0, error: 0, stopped: 0, active: 0 };
      fc.assert(
        fc.property(blueprint, fc.nat({ max: 6 }), sequence, (plan, n, events) => {
          const interpretedTrace: string[] = [];
          const compiledTrace: string[] = [];
          const interpreted = live(build(plan, interpretedTrace), interpretedTrace, n, events);
          const compiled = live(compile(build(plan, compiledTrace)), compiledTrace, n, events);
          expect(compiled).toEqual(interpreted);
          const { status } = interpreted.seen.at(-1) as { status: keyof typeof reached };
          reached[status] += 1;
        }),
        { numRuns },
      );
      // Otherwise the generator would prove nothing about these.
      for (const count of Object.values(reached)) expect(count).toBeGreaterThan(20);
    },
    20_000 + numRuns * 20,
  );
});
