import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { address, type DownReason, startRoot, supervisor } from '../../../src/kernel/index.js';
import { boom, childSpec, makeKernel, makeProbes, restartKinds, send, strategies } from './fixture.js';
import { type EndingName, endings, subjectOf } from './subjects.js';

/*
 * Every strategy × every restart kind × every way in which a child can end. `a`, `b` and `c` are siblings, `b` is the one
 * that ends. After each: who was restarted, and that nothing of an ended incarnation is left: no actor that it owned, no
 * deadline, no timer, no address.
 */

const names = Object.keys(endings) as EndingName[];
const rows = strategies.flatMap((strategy) =>
  restartKinds.flatMap((restart) => names.map((ending) => ({ strategy, restart, ending }))),
);

/** A sibling that crashes when it is told to. */
const sibling = setup({
  actions: {
    explode: () => {
      throw boom;
    },
  },
}).createMachine({
  initial: 'up',
  states: { up: { on: { throw: { actions: 'explode' }, 'kernel.shutdown': 'end' } }, end: { type: 'final' } },
});

describe('strategy × restart kind × end of a child', () => {
  it.each(rows)('$strategy, $restart, $ending', async ({ strategy, restart, ending }) => {
    const when = endings[ending];
    const { clock, kernel } = makeKernel();
    const { alive, probe } = makeProbes();
    const starts = { a: 0, b: 0, c: 0 };
    const counted = (id: 'a' | 'b' | 'c') => () => {
      starts[id] += 1;
    };
    let failures = 0;
    const failOnce = (): void => {
      failures += 1;
      if (failures === 1) throw boom;
    };
    const subject = subjectOf(
      ending,
      {
        kernel,
        owned: probe('owned'),
        onStart: ending === 'fails while starting' ? failOnce : () => {},
      },
      (event) => send(kernel, 'b', event),
      (event) => send(kernel, 'grandchild', event),
    );
    const input = (): void => {
      starts.b += 1;
      if (ending === 'fails to make its input') failOnce();
    };
    const root = startRoot(
      kernel,
      supervisor({
        kernel,
        strategy,
        // One restart is allowed: a second one, for the same end, would bring the root down and show.
        intensity: { restarts: 1, withinMs: 60_000 },
        children: [
          childSpec('a', sibling, { input: counted('a'), shutdown: 1_000 }),
          childSpec('b', subject.logic, { input, restart, shutdown: 1_000 }),
          childSpec('c', probe('c'), { input: counted('c') }),
        ],
      }),
    );
    const left = (): object => ({
      owned: alive().filter((name) => name === 'owned').length,
      deadlines: kernel.deadlines.size,
      addresses: kernel.directory.addresses().filter((taken) => !['before', 'grandchild'].includes(taken)),
    });
    const up = (running: boolean): object => ({
      owned: running ? subject.owns : 0,
      deadlines: running ? subject.holds : 0,
      addresses: expect.arrayContaining(running ? ['a', 'b', 'c'] : ['a', 'c']),
    });

    const downs: DownReason['kind'][] = [];
    if (when !== 'start') {
      expect(left()).toEqual(up(true));
      kernel.directory.watch(address('b'), (reason) => downs.push(reason.kind));
    }
    if (when === 'stop') send(kernel, 'a', 'throw');
    else subject.end?.();
    await clock.advanceAsync(when === 'stop' ? 1_000 : 0);

    const group = strategy === 'one_for_one' ? 'none' : strategy === 'one_for_all' ? 'all' : 'rest';
    if (when === 'stop') {
      // It is the crash of `a` that restarts; how `b` takes its stop changes nothing.
      const stopped = group !== 'none';
      const again = stopped && restart !== 'temporary';
      const crashed = ending === 'fails while stopping' || ending === 'fails while stopped by force';
      expect(starts).toEqual({ a: 2, b: again ? 2 : 1, c: stopped ? 2 : 1 });
      expect(downs).toEqual(stopped ? [crashed ? 'crashed' : 'stopped'] : []);
      expect(left()).toEqual(up(again || !stopped));
    } else {
      const again = restart === 'permanent' || (restart === 'transient' && when !== 'end');
      const grouped = again && group !== 'none';
      expect(starts).toEqual({
        a: grouped && group === 'all' ? 2 : 1,
        b: again ? 2 : 1,
        // A child that fails at once holds back those after it, so they are started once in any case.
        c: grouped && when !== 'start' ? 2 : 1,
      });
      if (when !== 'start')
        expect(downs).toEqual([when === 'crash' ? 'crashed' : ending === 'finishes' ? 'done' : 'stopped']);
      expect(left()).toEqual(up(again));
    }

    const ended = root.shutdown('test', 10_000);
    await clock.advanceAsync(1_000);
    await expect(ended).resolves.toEqual({ status: 'done', output: undefined });
    expect(alive()).toEqual([]);
    expect(kernel.directory.addresses()).toEqual([]);
    expect(kernel.deadlines.size).toBe(0);
    expect(clock.timers).toBe(0);
  });
});
