import { describe, expect, it } from 'vitest';
import { type AnyActorLogic, setup } from 'xstate';
import {
  AppError,
  address,
  crowd,
  type RootOutcome,
  startRoot,
  supervisor,
} from '../../../src/kernel/index.js';
import { boom, childSpec, makeKernel, makeProbes, send } from './fixture.js';

/* What goes through several levels of a tree: an error on its way up, a limit on its way down. */

/** Crashes when it is told to. Owns an actor that has to go with it. */
const leaf = (owned: AnyActorLogic): AnyActorLogic =>
  setup({
    actors: { owned },
    actions: {
      explode: () => {
        throw boom;
      },
    },
  }).createMachine({ invoke: { src: 'owned' }, on: { throw: { actions: 'explode' } } });

/** Code and details of each error of a chain, down to what was thrown. */
function chain(outcome: RootOutcome): unknown[] {
  const links: unknown[] = [];
  let cause: unknown = outcome.status === 'error' ? outcome.error : undefined;
  for (; cause instanceof AppError; cause = cause.cause) links.push([cause.code, cause.details]);
  return [...links, cause];
}

describe('escalation through three levels', () => {
  /** How often each level starts its child anew before it gives up. */
  function make(restarts: { root: number; middle: number; inner: number }) {
    const { clock, kernel } = makeKernel();
    const { alive, starts, probe } = makeProbes();
    const options = (level: keyof typeof restarts) =>
      ({
        kernel,
        strategy: 'one_for_one',
        intensity: { restarts: restarts[level], withinMs: 60_000 },
      }) as const;
    const inner = supervisor({
      ...options('inner'),
      children: [childSpec('cousin', probe('cousin')), childSpec('leaf', leaf(probe('owned')))],
    });
    const middle = supervisor({
      ...options('middle'),
      children: [childSpec('uncle', probe('uncle')), childSpec('inner', inner)],
    });
    const root = startRoot(
      kernel,
      supervisor({
        ...options('root'),
        children: [childSpec('middle', middle), childSpec('far', probe('far'))],
      }),
    );
    return { clock, kernel, alive, starts, root };
  }
  const gaveUp = (level: string, child: string) => ['kernel.restart_intensity', { supervisor: level, child }];

  it('ends the root with the whole chain of causes, and leaves nothing', async () => {
    const { clock, kernel, alive, root } = make({ root: 0, middle: 0, inner: 0 });
    expect(alive()).toEqual(['cousin', 'far', 'owned', 'uncle']);
    send(kernel, 'leaf', 'throw');
    expect(alive()).toEqual([]);
    expect(kernel.directory.addresses()).toEqual([]);
    expect([kernel.deadlines.size, clock.timers]).toEqual([0, 0]);
    const outcome = await root.stopped;
    expect(chain(outcome)).toEqual([
      gaveUp('root', 'middle'),
      gaveUp('middle#1', 'inner'),
      gaveUp('inner#1', 'leaf'),
      ['internal', undefined],
      boom,
    ]);
    // The first line of a log says it all.
    expect(outcome).toMatchObject({
      error: { message: expect.stringMatching(/^root gave up on middle: .*boom$/) },
    });
  });

  it('goes no further up than it must', async () => {
    const { clock, kernel, alive, starts, root } = make({ root: 0, middle: 1, inner: 1 });
    const everybody = ['cousin', 'far', 'owned', 'uncle'];
    send(kernel, 'leaf', 'throw');
    expect([starts('owned'), starts('cousin'), starts('uncle'), starts('far')]).toEqual([2, 1, 1, 1]);
    send(kernel, 'leaf', 'throw');
    expect([starts('owned'), starts('cousin'), starts('uncle'), starts('far')]).toEqual([3, 2, 1, 1]);
    expect(alive()).toEqual(everybody);
    // The new incarnation of `inner` counts from zero.
    send(kernel, 'leaf', 'throw');
    expect([starts('owned'), starts('cousin'), starts('uncle'), starts('far')]).toEqual([4, 2, 1, 1]);
    expect(alive()).toEqual(everybody);
    send(kernel, 'leaf', 'throw');
    expect(chain(await root.stopped)).toEqual([
      gaveUp('root', 'middle'),
      gaveUp('middle#1', 'inner'),
      gaveUp('inner#2', 'leaf'),
      ['internal', undefined],
      boom,
    ]);
    expect(alive()).toEqual([]);
    expect([kernel.deadlines.size, clock.timers]).toEqual([0, 0]);
  });
});

describe('a supervisor of edges', () => {
  it('pauses and tries for ever, and comes back to the first wait after a quiet time', () => {
    const { clock, kernel } = makeKernel();
    const { alive, probe } = makeProbes();
    const times: number[] = [];
    let isBroken = true;
    const edge = setup({
      actions: {
        open: () => {
          times.push(clock.monotonic());
          if (isBroken) throw boom;
        },
        explode: () => {
          throw boom;
        },
      },
    }).createMachine({ entry: 'open', on: { throw: { actions: 'explode' } } });
    const edges = supervisor({
      kernel,
      strategy: 'one_for_one',
      intensity: { restarts: Number.POSITIVE_INFINITY, withinMs: 1 },
      children: [childSpec('edge', edge), childSpec('other', probe('other'))],
    });
    startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'one_for_one',
        intensity: { restarts: 0, withinMs: 1 },
        children: [childSpec('edges', edges)],
      }),
    );
    const weekMs = 7 * 86_400_000;
    clock.advance(weekMs);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps.slice(0, 10)).toEqual([0, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
    expect(new Set(gaps.slice(10))).toEqual(new Set([30_000]));
    expect(gaps.length).toBeGreaterThan(20_000);
    expect(alive()).toEqual(['other']);
    // It waits, and that is all that there is.
    expect(kernel.deadlines.size).toBe(1);
    expect(kernel.directory.has(address('edge'))).toBe(false);

    isBroken = false;
    while (!kernel.directory.has(address('edge'))) clock.advance(100);
    const startedAt = (): number => times.at(-1) ?? Number.NaN;
    /** Crashes it when it has run for `ms`. Returns how long it then waits. */
    const waitAfter = (ms: number): number => {
      clock.advance(startedAt() + ms - clock.monotonic());
      const from = clock.monotonic();
      const tries = times.length;
      send(kernel, 'edge', 'throw');
      while (times.length === tries) clock.advance(100);
      return startedAt() - from;
    };
    expect(waitAfter(0)).toBe(30_000);
    expect(waitAfter(29_999)).toBe(30_000);
    expect(waitAfter(30_000)).toBe(0);
    expect(waitAfter(29_999)).toBe(200);
    expect(waitAfter(29_999)).toBe(400);
    expect(waitAfter(45_000)).toBe(0);
    expect(alive()).toEqual(['other']);
    expect(kernel.deadlines.size).toBe(0);
  });
});

describe('a limit on the way down', () => {
  const ms = 1_000;
  /** Each stands for one place where a limit can be set; everywhere else there is none. */
  const places = [
    "the root's deadline",
    "the root's own",
    'the root for the upper one',
    "the upper one's own",
    'the upper one for the lower one',
    "the lower one's own",
    'the lower one for its crowd',
    "the crowd's own",
    'the lower one for its deaf child',
  ] as const;
  type Place = (typeof places)[number];

  it.each(places)(
    'set at %s stops all that is below it, the deepest first, and nothing before',
    async (place) => {
      const warnings: unknown[] = [];
      const { clock, kernel } = makeKernel(({ limitMs, deadlineMs }) => {
        if (limitMs !== undefined || deadlineMs !== undefined) warnings.push(limitMs ?? deadlineMs);
      });
      const { trace, alive, probe } = makeProbes();
      const limit = (at: Place): number => (at === place ? ms : Number.POSITIVE_INFINITY);
      const deafIsMember = place.includes('crowd');
      const deaf = deafIsMember
        ? childSpec(
            'crowd',
            crowd({
              kernel,
              name: 'crowd',
              logic: probe('deaf'),
              address: (key) => address('member', key),
              shutdownMs: limit("the crowd's own"),
            }),
            { shutdown: limit('the lower one for its crowd') },
          )
        : childSpec('deaf', probe('deaf'), { shutdown: limit('the lower one for its deaf child') });
      const lower = supervisor({
        kernel,
        strategy: 'one_for_one',
        shutdownMs: limit("the lower one's own"),
        children: [childSpec('below', probe('below')), deaf],
      });
      const upper = supervisor({
        kernel,
        strategy: 'one_for_all',
        shutdownMs: limit("the upper one's own"),
        children: [
          childSpec('between', probe('between')),
          childSpec('lower', lower, { shutdown: limit('the upper one for the lower one') }),
        ],
      });
      const root = startRoot(
        kernel,
        supervisor({
          kernel,
          strategy: 'rest_for_one',
          shutdownMs: limit("the root's own"),
          children: [
            childSpec('above', probe('above')),
            childSpec('upper', upper, { shutdown: limit('the root for the upper one') }),
          ],
        }),
      );
      if (deafIsMember) send(kernel, 'crowd', { type: 'crowd.start', key: '1', input: undefined });
      trace.length = 0;

      const ended = root.shutdown('test', limit("the root's deadline"));
      clock.advance(ms - 1);
      expect(trace).toEqual([]);
      clock.advance(1);
      expect(trace).toEqual(['-deaf', '-below', '-between', '-above']);
      expect(alive()).toEqual([]);
      await expect(ended).resolves.toMatchObject({
        status: place === "the root's deadline" ? 'stopped' : 'done',
      });
      expect(warnings).toEqual([ms]);
      expect(kernel.directory.addresses()).toEqual([]);
      expect([kernel.deadlines.size, clock.timers]).toEqual([0, 0]);
    },
  );
});
