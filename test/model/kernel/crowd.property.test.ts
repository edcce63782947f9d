import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AnyActorLogic, fromCallback, setup } from 'xstate';
import { address, crowd, startRoot, supervisor } from '../../../src/kernel/index.js';
import { propertyRuns } from '../../support/property-runs.js';
import { CrowdModel, type CrowdSpec, capacity, shutdownMs } from './crowd-model.js';
import { boom, childSpec, makeKernel, send } from './fixture.js';
import type { BadStart } from './tree-spec.js';

/*
 * A crowd beside a model of what it promises, which is a map and a list of timers. Members start, crash, end, are stopped and
 * asked to stop, in any order; the crowd is shut down at last.
 */
const numRuns = propertyRuns(300);

const keys = ['a', 'b', 'c'] as const;

type Command =
  | { readonly type: 'start' | 'stop' | 'crash' | 'finish' | 'xstate.stop'; readonly key: string }
  | { readonly type: 'spoil'; readonly key: string; readonly starts: readonly BadStart[] }
  | { readonly type: 'advance'; readonly ms: number };

const key = fc.constantFrom(...keys);
const specs: fc.Arbitrary<CrowdSpec> = fc.record({
  farewell: fc.record({
    does: fc.constantFrom('ends', 'crashes', 'nothing'),
    afterMs: fc.constantFrom(0, 100, 299, 300, 1_000),
  }),
  revives: fc.constantFrom('from its record', 'from its record', 'nothing', 'throws'),
});
const scripts: fc.Arbitrary<readonly Command[]> = fc.array(
  fc.oneof<fc.WeightedArbitrary<Command>[]>(
    { weight: 8, arbitrary: fc.record({ type: fc.constant('start'), key }) },
    { weight: 5, arbitrary: fc.record({ type: fc.constantFrom('crash', 'finish', 'xstate.stop'), key }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('stop'), key }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('spoil'),
        key,
        starts: fc.array(fc.constantFrom<BadStart>('throws', 'finishes'), { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('advance'), ms: fc.constantFrom(0, 1, 100, 200, 300) }),
    },
  ),
  { minLength: 5, maxLength: 40, size: 'max' },
);

/** What a member starts with. */
interface MemberInput {
  readonly key: string;
  readonly bad: BadStart | undefined;
}

function makeCrowd({ farewell: { does, afterMs }, revives }: CrowdSpec) {
  const { clock, kernel } = makeKernel();
  const trace: string[] = [];
  const owned: string[] = [];
  const bad = new Map<string, BadStart[]>();
  const holding = fromCallback<{ type: string }, string>(({ input }) => {
    owned.push(input);
    return () => owned.splice(owned.indexOf(input), 1);
  });
  const logic = setup({
    types: { input: {} as MemberInput, context: {} as MemberInput },
    actors: { holding },
    delays: { farewell: afterMs },
    actions: {
      explode: () => {
        throw boom;
      },
    },
    guards: {
      throws: ({ context }) => context.bad === 'throws',
      finishes: ({ context }) => context.bad === 'finishes',
      listens: () => does !== 'nothing',
      isAtOnce: () => afterMs === 0,
      crashes: () => does === 'crashes',
    },
  }).createMachine({
    context: ({ input }) => ({ ...input, bad: bad.get(input.key)?.shift() }),
    initial: 'new',
    states: {
      new: {
        always: [
          { guard: 'throws', actions: 'explode', target: 'end' },
          { guard: 'finishes', target: 'end' },
          { target: 'alive' },
        ],
      },
      alive: {
        invoke: { src: 'holding', input: ({ context }) => context.key },
        on: { crash: { actions: 'explode' }, finish: 'end' },
        initial: 'up',
        states: {
          up: { on: { 'kernel.shutdown': { guard: 'listens', target: 'asked' } } },
          asked: { always: { guard: 'isAtOnce', target: 'leaving' }, after: { farewell: 'leaving' } },
          leaving: { always: [{ guard: 'crashes', actions: 'explode', target: '#end' }, { target: '#end' }] },
        },
      },
      end: { id: 'end', type: 'final' },
    },
  });
  const members = crowd({
    kernel,
    name: 'members',
    logic: noted(logic, trace),
    address: (of) => address('member', of),
    revive: (of) => {
      if (revives === 'throws') throw boom;
      return revives === 'nothing' ? undefined : { key: of };
    },
    abandon: (of) => trace.push(`${of} is abandoned`),
    shutdownMs,
    capacity,
  });
  const children = [childSpec('members', members, { shutdown: Number.POSITIVE_INFINITY })];
  const root = startRoot(kernel, supervisor({ kernel, strategy: 'one_for_one', children }));
  return { bad, clock, kernel, members, owned, root, trace };
}

/** The same logic, whose actors note their start, and their end if they were up. */
function noted(logic: AnyActorLogic, trace: string[]): AnyActorLogic {
  const wrapped: AnyActorLogic = Object.create(logic);
  const keyOf = (id: string): string => id.replace(/#.*$/, '');
  wrapped.getInitialSnapshot = (scope, input) => {
    trace.push(`+${keyOf(scope.id)}`);
    return logic.getInitialSnapshot(scope, input);
  };
  wrapped.start = (snapshot, scope) => {
    scope.self.subscribe({
      complete: () => {
        if (scope.self.getSnapshot().status === 'done') trace.push(`-${keyOf(scope.id)} done`);
      },
      error: () => trace.push(`-${keyOf(scope.id)} crashed`),
    });
    logic.start?.(snapshot, scope);
  };
  wrapped.transition = (snapshot, event, scope) => {
    const next = logic.transition(snapshot, event, scope);
    if (event.type === 'xstate.stop') trace.push(`-${keyOf(scope.id)} stopped`);
    return next;
  };
  return wrapped;
}

const reached = { starts: 0, abandoned: 0, refused: 0, 'stopped by force': 0 };

it(
  'keeps its members as it promises, whatever happens',
  async () => {
    await fc.assert(
      fc.asyncProperty(specs, scripts, async (spec, script) => {
        const real = makeCrowd(spec);
        const model = new CrowdModel(spec);
        const { directory, deadlines } = real.kernel;
        const compare = (): void => {
          const up = [...model.members.keys()].sort();
          expect({
            trace: real.trace,
            owned: real.owned.toSorted(),
            members: directory.addresses('member/').toSorted(),
            count: real.members.count,
            timers: deadlines.size,
            letters: directory.deadLetters.total,
          }).toEqual({
            trace: model.trace,
            owned: up,
            members: up.map((of) => `member/${of}`),
            count: up.length,
            timers: model.timers,
            letters: model.letters,
          });
        };
        const apply = (command: Command): void => {
          switch (command.type) {
            case 'start':
              send(real.kernel, 'members', {
                type: 'crowd.start',
                key: command.key,
                input: { key: command.key },
              });
              model.start(command.key);
              return;
            case 'stop':
              send(real.kernel, 'members', { type: 'crowd.stop', key: command.key });
              model.stop(command.key);
              return;
            case 'spoil':
              real.bad.set(command.key, [...command.starts]);
              model.bad.set(command.key, [...command.starts]);
              return;
            case 'advance':
              real.clock.advance(command.ms);
              model.advance(command.ms);
              return;
            default: {
              const isUp = model.members.has(command.key);
              expect(directory.send(address('member', command.key), { type: command.type })).toBe(isUp);
              if (!isUp) model.letters += 1;
              const how = { crash: 'crashed', finish: 'done', 'xstate.stop': 'stopped' } as const;
              model.end(command.key, how[command.type]);
            }
          }
        };

        for (const command of script) {
          apply(command);
          compare();
        }
        const ended = real.root.shutdown('test', Number.POSITIVE_INFINITY);
        model.shutdown();
        for (const ms of [0, 100, shutdownMs]) {
          apply({ type: 'advance', ms });
          compare();
        }
        expect(model.isDone).toBe(true);
        await expect(ended).resolves.toMatchObject({ status: 'done' });
        expect(deadlines.size).toBe(0);
        expect(real.clock.timers).toBe(0);
        reached.starts += model.trace.filter((entry) => entry.startsWith('+')).length;
        reached.abandoned += model.trace.filter((entry) => entry.endsWith('abandoned')).length;
        reached['stopped by force'] += model.trace.filter((entry) => entry.endsWith('stopped')).length;
        reached.refused += model.letters;
      }),
      { numRuns },
    );
    console.info(`${numRuns} crowds: ${JSON.stringify(reached)}`);
    expect(Math.min(...Object.values(reached))).toBeGreaterThan(numRuns / 4);
  },
  20_000 + numRuns * 20,
);
