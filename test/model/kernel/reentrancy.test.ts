import { describe, expect, it, vi } from 'vitest';
import { type AnyActorLogic, fromCallback, setup } from 'xstate';
import { address, crowd, startRoot, supervisor } from '../../../src/kernel/index.js';
import { boom, childSpec, makeKernel, makeProbes, send } from './fixture.js';

/*
 * XState runs a receiver on its sender's stack, so an actor that starts can bring down the one that is starting it. These
 * are the orders of events that no process of OTP has to think about.
 */

const crashing = (owned: AnyActorLogic): AnyActorLogic =>
  setup({
    actors: { owned },
    actions: {
      explode: () => {
        throw boom;
      },
    },
  }).createMachine({
    invoke: { src: 'owned' },
    on: { throw: { actions: 'explode' } },
  });

describe('a start that fails after it made a sibling crash', () => {
  it('counts once, and the child that its group started meanwhile goes on', async () => {
    const { clock, kernel } = makeKernel();
    const { trace, alive, probe } = makeProbes();
    let inputs = 0;
    const input = (): void => {
      inputs += 1;
      if (inputs > 1) return;
      send(kernel, 'a', 'throw');
      throw boom;
    };
    const root = startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'one_for_all',
        intensity: { restarts: 1, withinMs: 60_000 },
        children: [childSpec('a', crashing(probe('a'))), childSpec('b', probe('b'), { input })],
      }),
    );
    clock.advance(60_000);
    expect(trace).toEqual(['+a', '-a', '+a', '+b']);
    expect(alive()).toEqual(['a', 'b']);
    await expect(root.shutdown('test', 1_000)).resolves.toMatchObject({ status: 'done' });
    expect(alive()).toEqual([]);
  });
});

describe('a supervisor that is stopped by force while it starts a child', () => {
  it.each(['brutal', 1_000] as const)(
    'is gone, with its children, before the next incarnation starts: shutdown %s',
    (shutdown) => {
      const { clock, kernel } = makeKernel();
      const { trace, alive, probe } = makeProbes();
      let starts = 0;
      const starter = fromCallback(() => {
        starts += 1;
        trace.push('+starter');
        if (starts === 2) send(kernel, 'a', 'throw');
        return () => trace.push('-starter');
      });
      const inner = supervisor({
        kernel,
        strategy: 'one_for_one',
        children: [childSpec('before', probe('before')), childSpec('starter', starter)],
      });
      startRoot(
        kernel,
        supervisor({
          kernel,
          strategy: 'rest_for_one',
          intensity: { restarts: 1, withinMs: 60_000 },
          children: [
            childSpec('a', crashing(probe('a'))),
            childSpec('inner', inner, { shutdown }),
            childSpec('last', probe('last')),
          ],
        }),
      );
      const before = trace.length;
      send(kernel, 'starter', 'xstate.stop');
      expect(trace.slice(before)).toEqual([
        '-starter',
        '+starter',
        '-a',
        '-last',
        '-starter',
        '-before',
        '+a',
        '+before',
        '+starter',
        '+last',
      ]);
      clock.advance(60_000);
      expect(alive()).toEqual(['a', 'before', 'last', 'starter']);
      expect(kernel.directory.addresses().toSorted()).toEqual(['a', 'before', 'inner', 'last', 'starter']);
      expect(kernel.deadlines.size).toBe(0);
    },
  );
});

describe('a child that crashed, and is stopped before its supervisor has heard of that', () => {
  it.each(['brutal', 1_000] as const)('leaves nothing behind in a group: shutdown %s', (shutdown) => {
    const { clock, kernel } = makeKernel();
    const { alive, probe } = makeProbes();
    // XState says here what was sent to an actor that has ended.
    using warn = vi.spyOn(console, 'warn');
    let starts = 0;
    const troublemaker = fromCallback(() => {
      starts += 1;
      if (starts > 1) return;
      send(kernel, 'a', 'throw');
      send(kernel, 'b', 'throw');
    });
    startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'one_for_all',
        intensity: { restarts: 1, withinMs: 60_000 },
        children: [
          childSpec('a', crashing(probe('a')), { shutdown }),
          childSpec('b', crashing(probe('b')), { shutdown }),
          childSpec('c', troublemaker),
        ],
      }),
    );
    clock.advance(60_000);
    expect(warn).not.toHaveBeenCalled();
    expect(starts).toBe(2);
    expect(alive()).toEqual(['a', 'b']);
    expect(kernel.deadlines.size).toBe(0);
  });

  it('leaves nothing behind when its supervisor is stopped', () => {
    const { clock, kernel } = makeKernel();
    const { alive, probe } = makeProbes();
    const reasons: unknown[] = [];
    let starts = 0;
    const troublemaker = fromCallback(() => {
      starts += 1;
      if (starts !== 2) return;
      kernel.directory.watch(address('b'), (reason) => reasons.push(reason));
      send(kernel, 'b', 'throw');
      send(kernel, 'a', 'throw');
    });
    const inner = supervisor({
      kernel,
      strategy: 'one_for_one',
      children: [childSpec('b', crashing(probe('b'))), childSpec('c', troublemaker)],
    });
    startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'rest_for_one',
        intensity: { restarts: 1, withinMs: 60_000 },
        children: [
          childSpec('a', crashing(probe('a'))),
          childSpec(
            'inner',
            supervisor({
              kernel,
              strategy: 'one_for_one',
              children: [childSpec('innermost', inner)],
            }),
          ),
        ],
      }),
    );
    send(kernel, 'c', 'xstate.stop');
    clock.advance(60_000);
    expect(reasons).toEqual([{ kind: 'crashed', error: boom }]);
    expect(alive()).toEqual(['a', 'b']);
    expect(kernel.directory.addresses().toSorted()).toEqual(['a', 'b', 'c', 'inner', 'innermost']);
    expect(kernel.deadlines.size).toBe(0);
  });

  it('leaves nothing behind when it was the member of a crowd that is stopped', () => {
    const { kernel } = makeKernel();
    const { alive, probe } = makeProbes();
    const troublemaker = fromCallback(() => {
      kernel.directory.send(address('member', 'victim'), { type: 'throw' });
      send(kernel, 'a', 'throw');
    });
    const member = setup({
      types: { input: {} as boolean, context: {} as { isBad: boolean } },
      actors: { owned: probe('owned'), troublemaker },
      actions: {
        explode: () => {
          throw boom;
        },
      },
      guards: { isBad: ({ context }) => context.isBad },
    }).createMachine({
      context: ({ input }) => ({ isBad: input }),
      initial: 'new',
      states: {
        new: { always: [{ guard: 'isBad', target: 'bad' }, { target: 'good' }] },
        bad: { invoke: { src: 'troublemaker' } },
        good: { invoke: { src: 'owned' }, on: { throw: { actions: 'explode' } } },
      },
    });
    const members = crowd({
      kernel,
      name: 'members',
      logic: member,
      address: (key) => address('member', key),
      shutdownMs: 1_000,
    });
    startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'rest_for_one',
        children: [childSpec('a', crashing(probe('a'))), childSpec('members', members)],
      }),
    );
    send(kernel, 'members', { type: 'crowd.start', key: 'victim', input: false });
    expect(alive()).toEqual(['a', 'owned']);
    send(kernel, 'members', { type: 'crowd.start', key: 'bad', input: true });
    expect(alive()).toEqual(['a']);
    expect(kernel.directory.addresses().toSorted()).toEqual(['a', 'members']);
  });
});
