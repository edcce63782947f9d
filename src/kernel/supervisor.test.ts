import { describe, expect, it } from 'vitest';
import { type AnyActorLogic, assign, type EventObject, fromCallback, setup } from 'xstate';
import {
  boom,
  childSpec,
  makeKernel,
  makeProbes,
  send,
  strategies,
} from '../../test/model/kernel/fixture.js';
import { address } from './address.js';
import type { ChildSpec } from './child.js';
import type { AppError } from './errors.js';
import { createKernel, type Kernel, startRoot } from './kernel.js';
import { contained } from './lifecycle.js';
import { SimulatedClock } from './simulated-clock.js';
import { type SupervisorOptions, supervisor } from './supervisor.js';

/* Each strategy × restart kind × way to end stands in test/model/kernel/endings.test.ts. */

function make() {
  return { ...makeKernel(), ...makeProbes() };
}

/** Owns a probe, which has to end with it. */
function owner(owned: AnyActorLogic, onStart: () => void) {
  return setup({ actors: { owned }, actions: { started: () => onStart() } }).createMachine({
    initial: 'up',
    states: {
      up: { entry: 'started', invoke: { src: 'owned' }, on: { 'kernel.shutdown': 'end' } },
      end: { type: 'final' },
    },
  });
}

const leaf = (): AnyActorLogic =>
  setup({
    actions: {
      explode: () => {
        throw boom;
      },
    },
  }).createMachine({
    initial: 'up',
    states: {
      up: { on: { throw: { actions: 'explode' }, finish: 'end', 'kernel.shutdown': 'end' } },
      end: { type: 'final' },
    },
  });

const failing = (onStart: () => void = () => {}): AnyActorLogic =>
  setup({
    actions: {
      explode: () => {
        onStart();
        throw boom;
      },
    },
  }).createMachine({ entry: 'explode' });

describe('restarts', () => {
  const one = (kernel: Kernel, spec: ChildSpec, options: Partial<SupervisorOptions> = {}) =>
    startRoot(kernel, supervisor({ kernel, strategy: 'one_for_one', children: [spec], ...options }));

  it('backs off: at once, 200 ms, 400 ms; then gives up with the cause', async () => {
    const { clock, kernel } = make();
    const times: number[] = [];
    const root = one(
      kernel,
      childSpec(
        'bad',
        failing(() => times.push(clock.monotonic())),
      ),
    );
    clock.advance(60_000);
    expect(times).toEqual([0, 0, 200, 600]);
    const outcome = await root.stopped;
    expect(outcome).toMatchObject({
      status: 'error',
      error: { code: 'kernel.restart_intensity', cause: { code: 'internal', cause: boom } },
    });
    expect(kernel.deadlines.size).toBe(0);
  });

  it('escalates through nested supervisors with a chain of causes', async () => {
    const { clock, kernel } = make();
    let started = 0;
    const inner = supervisor({
      kernel,
      strategy: 'one_for_one',
      children: [
        childSpec(
          'leaf',
          failing(() => (started += 1)),
        ),
      ],
    });
    const root = one(kernel, childSpec('inner', inner));
    clock.advance(60_000);
    const outcome = await root.stopped;
    const codes: unknown[] = [];
    let cause: unknown = outcome.status === 'error' ? outcome.error : undefined;
    for (; cause instanceof Error; cause = cause.cause) codes.push((cause as AppError).code ?? cause.message);
    expect(codes).toEqual(['kernel.restart_intensity', 'kernel.restart_intensity', 'internal', 'boom']);
    expect(started).toBe(16);
    expect(kernel.deadlines.size).toBe(0);
  });

  it('forgets restarts outside the window and backs off from the start after a quiet period', () => {
    const { clock, kernel } = make();
    one(kernel, childSpec('leaf', leaf()), {
      intensity: { restarts: 1, withinMs: 1_000 },
      backoff: { quietMs: 500 },
    });
    for (let n = 0; n < 10; n += 1) {
      expect(send(kernel, 'leaf', 'throw')).toBe(true);
      expect(kernel.directory.has(address('leaf'))).toBe(true);
      clock.advance(1_000);
    }
    expect(kernel.deadlines.size).toBe(0);
  });

  it('with infinite restarts pauses up to the maximum and goes on for ever', () => {
    const { clock, kernel } = make();
    const times: number[] = [];
    one(
      kernel,
      childSpec(
        'edge',
        failing(() => times.push(clock.monotonic())),
      ),
      {
        intensity: { restarts: Number.POSITIVE_INFINITY, withinMs: 1 },
      },
    );
    clock.advance(3_600_000);
    const last = times.slice(-2);
    expect((last[1] ?? 0) - (last[0] ?? 0)).toBe(30_000);
    expect(times.length).toBeGreaterThan(100);
  });

  it('says that a permanent child ended when that is why it gave up', async () => {
    const { kernel } = make();
    const root = one(kernel, childSpec('leaf', leaf()), { intensity: { restarts: 0, withinMs: 1_000 } });
    send(kernel, 'leaf', 'finish');
    expect(await root.stopped).toMatchObject({ error: { cause: { code: 'kernel.child_ended' } } });
  });

  it('makes the input anew for each start; an input or an address that fails is a failed start', async () => {
    const { clock, kernel } = make();
    const inputs: unknown[] = [];
    let n = 0;
    const logic = setup({ types: { input: {} as number, context: {} as { n: number } } }).createMachine({
      context: ({ input }) => {
        inputs.push(input);
        return { n: input };
      },
      entry: assign({
        n: ({ context }) => {
          if (context.n < 3) throw boom;
          return context.n;
        },
      }),
    });
    one(kernel, childSpec('counting', logic, { input: () => (n += 1) }));
    clock.advance(1_000);
    expect(inputs).toEqual([1, 2, 3]);

    const taken = one(kernel, childSpec('counting', logic, { input: 9 }));
    clock.advance(1_000);
    expect(await taken.stopped).toMatchObject({ error: { cause: { code: 'kernel.address_taken' } } });

    const bad = one(
      kernel,
      childSpec('bad', logic, {
        input: () => {
          throw boom;
        },
      }),
    );
    clock.advance(1_000);
    expect(await bad.stopped).toMatchObject({ error: { cause: { cause: boom } } });
    expect(kernel.deadlines.size).toBe(0);
  });

  it('ignores signals of dead incarnations and events that it does not know', () => {
    const { kernel, starts, probe } = make();
    const inner = supervisor({
      kernel,
      strategy: 'one_for_one',
      children: [childSpec('a', probe('a'))],
    });
    one(kernel, childSpec('inner', inner));
    send(kernel, 'a', 'xstate.stop');
    expect(starts('a')).toBe(2);
    const stale: EventObject & { actorId: string } = { type: 'xstate.done.actor.a#1', actorId: 'a#1' };
    kernel.directory.send(address('inner'), stale);
    send(kernel, 'inner', 'nonsense');
    expect(starts('a')).toBe(2);
    expect(kernel.directory.has(address('inner'))).toBe(true);
  });

  it('drops the deadlines of a child that ended', () => {
    const { kernel } = make();
    const fired: string[] = [];
    const logic = setup({
      actions: {
        wait: ({ self }) => kernel.deadlines.set(self, 1_000, () => fired.push('late'), { label: 'answer' }),
        explode: () => {
          throw boom;
        },
      },
    }).createMachine({
      entry: 'wait',
      after: { 5000: { actions: 'explode' } },
      on: { throw: { actions: 'explode' } },
    });
    one(kernel, childSpec('waiting', logic, { restart: 'temporary' }));
    expect(kernel.deadlines.size).toBe(2);
    send(kernel, 'waiting', 'throw');
    expect(kernel.deadlines.size).toBe(0);
    expect(fired).toEqual([]);
  });

  it('rest_for_one: a crash before the group that is waiting to restart widens the group', () => {
    const { clock, kernel, trace, starts, alive, probe } = make();
    startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'rest_for_one',
        children: [childSpec('a', leaf()), childSpec('b', leaf()), childSpec('c', probe('c'))],
      }),
    );
    send(kernel, 'b', 'throw');
    send(kernel, 'b', 'throw');
    expect(alive()).toEqual([]);
    expect(kernel.directory.addresses()).toEqual(['a']);
    send(kernel, 'a', 'throw');
    expect(kernel.directory.addresses()).toEqual([]);
    clock.advance(200);
    expect(kernel.directory.addresses()).toEqual(['a', 'b', 'c']);
    expect(starts('c')).toBe(3);
    expect(trace).toEqual(['+c', '-c', '+c', '-c', '+c']);
    expect(kernel.deadlines.size).toBe(0);
  });

  it('does not start again what waits for its backoff when it is shut down', async () => {
    for (const strategy of strategies) {
      const { clock, kernel } = make();
      let started = 0;
      const root = startRoot(
        kernel,
        supervisor({
          kernel,
          strategy,
          children: [
            childSpec(
              'bad',
              failing(() => (started += 1)),
            ),
          ],
        }),
      );
      expect(started).toBe(2);
      await expect(root.shutdown('test', 1_000)).resolves.toMatchObject({ status: 'done' });
      expect(kernel.deadlines.size).toBe(0);
      clock.advance(60_000);
      expect(started).toBe(2);
    }
  });

  it('does not start again what waits for its backoff while a sibling is being shut down', async () => {
    const { clock, kernel, probe } = make();
    let started = 0;
    const children = [
      childSpec(
        'bad',
        failing(() => (started += 1)),
      ),
      childSpec('slow', probe('slow'), { shutdown: 1_000 }),
    ];
    const root = startRoot(kernel, supervisor({ kernel, strategy: 'one_for_one', children }));
    expect(started).toBe(2);
    const ended = root.shutdown('test', 60_000);
    clock.advance(1_000);
    await expect(ended).resolves.toMatchObject({ status: 'done' });
    expect(started).toBe(2);
    expect(kernel.deadlines.size).toBe(0);
  });

  it('refuses two children with one id', () => {
    const { kernel, probe } = make();
    const children = [childSpec('a', probe('a')), childSpec('a', probe('a'))];
    expect(() => supervisor({ kernel, strategy: 'one_for_one', children })).toThrow(
      expect.objectContaining({ code: 'kernel.bad_supervisor' }),
    );
  });

  it.each<Partial<SupervisorOptions>>([
    { shutdownMs: Number.NaN },
    { shutdownMs: -1 },
    { intensity: { restarts: Number.NaN, withinMs: 1 } },
    { intensity: { restarts: -1, withinMs: 1 } },
    { intensity: { restarts: 1, withinMs: Number.NaN } },
    { backoff: { firstMs: -1 } },
    { backoff: { baseMs: Number.POSITIVE_INFINITY } },
    { backoff: { maxMs: Number.NaN } },
    { backoff: { quietMs: Number.NaN } },
    { children: [childSpec('a', leaf(), { shutdown: Number.NaN })] },
  ])('refuses %o, instead of failing in the middle of a stop', (options) => {
    const { kernel } = make();
    const given = { kernel, strategy: 'one_for_one' as const, children: [], ...options };
    expect(() => supervisor(given)).toThrow(
      expect.objectContaining({
        code: 'kernel.bad_supervisor',
        message: expect.stringMatching(/ is .*, not /),
      }),
    );
  });
});

describe('ordered stop', () => {
  /** Ends `ms` after it was asked to. */
  const graceful = (trace: string[], name: string, ms: number): AnyActorLogic =>
    setup({ actions: { note: (_, params: { text: string }) => trace.push(params.text) } }).createMachine({
      initial: 'up',
      states: {
        up: { on: { 'kernel.shutdown': 'ending' } },
        ending: { entry: { type: 'note', params: { text: `?${name}` } }, after: { [ms]: 'end' } },
        end: { type: 'final', entry: { type: 'note', params: { text: `-${name}` } } },
      },
    });

  it('asks in reverse order, waits for each, and stops who takes too long', async () => {
    const { clock, kernel, trace, probe } = make();
    const root = startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'one_for_one',
        children: [
          childSpec('a', graceful(trace, 'a', 100), { shutdown: 1_000 }),
          childSpec('b', probe('b'), { shutdown: 1_000 }),
          childSpec('c', graceful(trace, 'c', 100), { shutdown: 1_000 }),
          childSpec('d', probe('d'), { shutdown: 'brutal' }),
        ],
      }),
    );
    trace.length = 0;
    const ended = root.shutdown('test', 60_000);
    expect(trace.splice(0)).toEqual(['-d', '?c']);
    clock.advance(100);
    expect(trace.splice(0)).toEqual(['-c']);
    clock.advance(999);
    expect(trace.splice(0)).toEqual([]);
    clock.advance(1);
    expect(trace.splice(0)).toEqual(['-b', '?a']);
    clock.advance(100);
    expect(trace).toEqual(['-a']);
    await expect(ended).resolves.toMatchObject({ status: 'done' });
    expect(kernel.deadlines.size).toBe(0);
  });

  it('goes on when a child crashes instead of ending', async () => {
    const { kernel, trace, probe } = make();
    const crashing = setup({
      actions: {
        explode: () => {
          throw boom;
        },
      },
    }).createMachine({ on: { 'kernel.shutdown': { actions: 'explode' } } });
    const root = startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'one_for_all',
        children: [childSpec('a', probe('a')), childSpec('b', crashing, { shutdown: 1_000 })],
      }),
    );
    await expect(root.shutdown('test', 60_000)).resolves.toMatchObject({ status: 'done' });
    expect(trace).toEqual(['+a', '-a']);
  });

  it('goes on when a child throws while it is stopped by force', async () => {
    const { clock, kernel, trace, probe } = make();
    const throwing = fromCallback(() => () => {
      trace.push('-b throws');
      throw boom;
    });
    const children = [
      childSpec('a', probe('a')),
      childSpec('b', throwing, { shutdown: 10 }),
      childSpec('c', throwing),
    ];
    const root = startRoot(kernel, supervisor({ kernel, strategy: 'one_for_one', children }));
    const ended = root.shutdown('test', 60_000);
    clock.advance(10);
    await expect(ended).resolves.toMatchObject({ status: 'done' });
    expect(trace).toEqual(['+a', '-b throws', '-b throws', '-a']);
    expect(kernel.directory.addresses()).toEqual([]);
  });

  it('stops the rest at its own limit', async () => {
    const { clock, kernel, alive, probe } = make();
    const children = ['a', 'b', 'c'].map((id) =>
      childSpec(id, probe(id), { shutdown: Number.POSITIVE_INFINITY }),
    );
    const root = startRoot(
      kernel,
      supervisor({ kernel, strategy: 'one_for_one', shutdownMs: 500, children }),
    );
    const ended = root.shutdown('test', 60_000);
    clock.advance(499);
    expect(alive()).toEqual(['a', 'b', 'c']);
    clock.advance(1);
    expect(alive()).toEqual([]);
    await expect(ended).resolves.toMatchObject({ status: 'done' });
    expect(kernel.deadlines.size).toBe(0);
  });

  it('has no limit of its own when that is Infinity', async () => {
    const { clock, kernel, alive, probe } = make();
    const options = { kernel, strategy: 'one_for_one', shutdownMs: Number.POSITIVE_INFINITY } as const;
    const slow = childSpec('slow', probe('slow'), { shutdown: 86_400_000 });
    const root = startRoot(kernel, supervisor({ ...options, children: [slow] }));
    const ended = root.shutdown('test', Number.POSITIVE_INFINITY);
    clock.advance(86_399_999);
    expect(alive()).toEqual(['slow']);
    clock.advance(1);
    await expect(ended).resolves.toMatchObject({ status: 'done' });
    expect(kernel.deadlines.size).toBe(0);
    expect(alive()).toEqual([]);
  });

  it('leaves no descendant when the root is stopped by force, or when it escalates', async () => {
    for (const how of ['force', 'escalate']) {
      const { clock, kernel, alive, probe } = make();
      const inner = supervisor({
        kernel,
        strategy: 'one_for_one',
        children: [
          childSpec(
            'deep',
            supervisor({ kernel, strategy: 'one_for_all', children: [childSpec('x', probe('x'))] }),
            {
              shutdown: Number.POSITIVE_INFINITY,
            },
          ),
          childSpec(
            'y',
            owner(probe('owned by y'), () => {}),
            { shutdown: 1_000 },
          ),
          childSpec('stuck', probe('stuck'), { shutdown: 5_000 }),
        ],
      });
      const root = startRoot(
        kernel,
        supervisor({
          kernel,
          strategy: 'one_for_one',
          intensity: { restarts: 0, withinMs: 1_000 },
          children: [
            childSpec('inner', inner, { shutdown: how === 'force' ? Number.POSITIVE_INFINITY : 1_000 }),
            childSpec('leaf', leaf()),
          ],
        }),
      );
      expect(alive()).toEqual(['owned by y', 'stuck', 'x']);
      if (how === 'force') root.shutdown('test', 2_000);
      else send(kernel, 'leaf', 'throw');
      clock.advance(2_000);
      expect((await root.stopped).status).toBe(how === 'force' ? 'stopped' : 'error');
      expect(alive()).toEqual([]);
      expect(kernel.directory.addresses()).toEqual([]);
      expect(kernel.deadlines.size).toBe(0);
    }
  });
});

describe('contained', () => {
  it.each(['later', 'at once'])(
    'stops what a machine owns when it crashes %s inside another machine',
    (when) => {
      const { kernel, alive, starts, probe } = make();
      const inner = setup({
        actors: { owned: probe('owned') },
        actions: {
          explode: () => {
            throw boom;
          },
        },
      }).createMachine({
        invoke: { src: 'owned' },
        entry: when === 'at once' ? 'explode' : [],
        on: { throw: { actions: 'explode' } },
      });
      const outer = setup({ actors: { inner: contained(inner) } }).createMachine({
        initial: 'up',
        states: {
          up: {
            invoke: { src: 'inner', id: 'inner', onError: 'failed' },
            on: {
              throw: {
                actions: ({ event, self }) => {
                  const { inner: running } = self.getSnapshot().children;
                  running?.send(event);
                },
              },
            },
          },
          failed: {},
        },
      });
      startRoot(
        kernel,
        supervisor({ kernel, strategy: 'one_for_one', children: [childSpec('outer', outer)] }),
      );
      if (when === 'later') expect(alive()).toEqual(['owned']);
      send(kernel, 'outer', 'throw');
      expect(alive()).toEqual([]);
      expect(starts('owned')).toBe(1);
      expect(kernel.directory.has(address('outer'))).toBe(true);
    },
  );
});

describe('startRoot', () => {
  it('goes on when its log throws', () => {
    const fail = (): never => {
      throw new Error('no disk');
    };
    const kernel = createKernel({
      clock: new SimulatedClock(),
      log: { debug: fail, info: fail, warn: fail, error: fail },
    });
    startRoot(kernel, supervisor({ kernel, strategy: 'one_for_one', children: [childSpec('leaf', leaf())] }));
    send(kernel, 'leaf', 'throw');
    expect(kernel.directory.has(address('leaf'))).toBe(true);
    expect(send(kernel, 'nobody', 'hello')).toBe(false);
  });

  it('resolves with the error of a root that fails at once, and of one that is a machine', async () => {
    const { kernel, alive, probe } = make();
    expect(await startRoot(kernel, failing()).stopped).toMatchObject({
      status: 'error',
      error: { cause: boom },
    });
    const machine = startRoot(
      kernel,
      owner(probe('owned'), () => {
        throw boom;
      }),
    );
    expect((await machine.stopped).status).toBe('error');
    expect(alive()).toEqual([]);
  });

  it('stops a root that does not end by itself at the deadline', async () => {
    const { clock, kernel, alive, probe } = make();
    const root = startRoot(kernel, probe('stubborn'));
    const ended = root.shutdown('test', 300);
    clock.advance(299);
    expect(alive()).toEqual(['stubborn']);
    clock.advance(1);
    await expect(ended).resolves.toEqual({ status: 'stopped' });
    await expect(root.shutdown('again', 300)).resolves.toEqual({ status: 'stopped' });
    expect(kernel.deadlines.size).toBe(0);
  });
});
