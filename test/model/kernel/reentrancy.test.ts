import { describe, expect, it } from 'vitest';
import { type AnyActorLogic, fromCallback, setup } from 'xstate';
import { startRoot, supervisor } from '../../../src/kernel/index.js';
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
