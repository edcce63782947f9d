import { describe, expect, it } from 'vitest';
import { address, crowd, type DownReason, startRoot, supervisor } from '../../../src/kernel/index.js';
import { boom, childSpec, makeKernel, makeProbes, send } from './fixture.js';
import { type EndingName, endings, subjectOf } from './subjects.js';

/*
 * Every way in which a member of a crowd can end, with and without a second start. After each: whether it was started again
 * or abandoned, that the crowd and the sibling beside it go on, and that nothing of an ended incarnation is left.
 */

// A member's input is a value: there is nothing that could fail to make it.
const names = (Object.keys(endings) as EndingName[]).filter((name) => name !== 'fails to make its input');
const rows = names.flatMap((ending) => [true, false].map((revives) => ({ ending, revives })));
const member = address('member', 'b');

describe('end of a member × second start', () => {
  it.each(rows)('$ending, is started again: $revives', async ({ ending, revives }) => {
    const when = endings[ending];
    const { clock, kernel } = makeKernel();
    const { alive, starts: startsOf, probe } = makeProbes();
    let starts = 0;
    const onStart = (): void => {
      starts += 1;
      if (ending === 'fails while starting') throw boom;
    };
    const subject = subjectOf(
      ending,
      { kernel, owned: probe('owned'), onStart },
      (event) => kernel.directory.send(member, { type: event }),
      (event) => send(kernel, 'grandchild', event),
    );
    const abandoned: [string, unknown][] = [];
    const members = crowd({
      kernel,
      name: 'members',
      logic: subject.logic,
      address: (key) => address('member', key),
      ...(revives ? { revive: () => 'again' } : {}),
      abandon: (key, error) => abandoned.push([key, error]),
      shutdownMs: 1_000,
    });
    const root = startRoot(
      kernel,
      supervisor({
        kernel,
        strategy: 'one_for_all',
        intensity: { restarts: 0, withinMs: 1_000 },
        children: [
          childSpec('members', members, { shutdown: Number.POSITIVE_INFINITY }),
          childSpec('sibling', probe('sibling')),
        ],
      }),
    );
    const downs: DownReason['kind'][] = [];
    const watch = (): void => {
      kernel.directory.watch(member, (reason) => downs.push(reason.kind));
    };
    const left = (): object => ({
      owned: alive().filter((name) => name === 'owned').length,
      deadlines: kernel.deadlines.size,
      isReachable: kernel.directory.has(member),
      members: members.count,
    });
    const up = { owned: subject.owns, deadlines: subject.holds, isReachable: true, members: 1 };
    const gone = { owned: 0, deadlines: 0, isReachable: false, members: 0 };

    send(kernel, 'members', { type: 'crowd.start', key: 'b', input: undefined });
    if (when === 'start') {
      expect(starts).toBe(revives ? 2 : 1);
      expect(left()).toEqual(gone);
      expect(abandoned).toEqual([['b', boom]]);
    } else {
      expect(left()).toEqual(up);
      watch();
      if (when === 'stop') send(kernel, 'members', { type: 'crowd.stop', key: 'b' });
      else subject.end?.();
      await clock.advanceAsync(when === 'stop' ? 1_000 : 0);
    }

    if (when === 'end') {
      expect(left()).toEqual(gone);
      expect([starts, abandoned]).toEqual([1, []]);
      expect(downs).toEqual([ending === 'finishes' ? 'done' : 'stopped']);
    }
    if (when === 'stop') {
      // It was told to end: how it takes that starts nothing again.
      const crashed = ending === 'fails while stopping' || ending === 'fails while stopped by force';
      expect(left()).toEqual(gone);
      expect([starts, downs]).toEqual([1, [crashed ? 'crashed' : 'stopped']]);
      expect(abandoned).toEqual(crashed ? [['b', boom]] : []);
    }
    if (when === 'crash') {
      expect(starts).toBe(revives ? 2 : 1);
      expect(downs).toEqual(['crashed']);
      expect(left()).toEqual(revives ? up : gone);
      if (revives) {
        expect(abandoned).toEqual([]);
        watch();
        subject.end?.();
        await clock.advanceAsync(0);
        expect([starts, downs]).toEqual([2, ['crashed', 'crashed']]);
        expect(left()).toEqual(gone);
      }
      expect(abandoned).toEqual([['b', expect.anything()]]);
    }
    expect(startsOf('sibling')).toBe(1);
    expect(kernel.directory.has(address('members'))).toBe(true);

    const ended = root.shutdown('test', 10_000);
    await clock.advanceAsync(1_000);
    await expect(ended).resolves.toEqual({ status: 'done', output: undefined });
    expect(alive()).toEqual([]);
    expect(kernel.directory.addresses()).toEqual([]);
    expect(kernel.deadlines.size).toBe(0);
    expect(clock.timers).toBe(0);
  });

  const running = names.filter((name) => endings[name] !== 'start');
  it.each(running)('%s, with its whole crowd, which is done in any case', async (ending) => {
    const { clock, kernel } = makeKernel();
    const { alive, probe } = makeProbes();
    let starts = 0;
    const subject = subjectOf(
      ending,
      { kernel, owned: probe('owned'), onStart: () => (starts += 1) },
      (event) => kernel.directory.send(member, { type: event }),
      (event) => send(kernel, 'grandchild', event),
    );
    const abandoned: string[] = [];
    const members = crowd({
      kernel,
      name: 'members',
      logic: subject.logic,
      address: (key) => address('member', key),
      revive: () => 'again',
      abandon: (key) => abandoned.push(key),
      shutdownMs: 1_000,
    });
    const children = [childSpec('members', members, { shutdown: Number.POSITIVE_INFINITY })];
    const root = startRoot(kernel, supervisor({ kernel, strategy: 'one_for_one', children }));
    send(kernel, 'members', { type: 'crowd.start', key: 'b', input: undefined });
    expect(members.count).toBe(1);
    const ended = root.shutdown('test', 10_000);
    // Whoever still runs may end as it likes, while the crowd waits for it.
    if (kernel.directory.has(member)) subject.end?.();
    await clock.advanceAsync(1_000);
    await expect(ended).resolves.toEqual({ status: 'done', output: undefined });
    // Its record stands, and the next start of the crowd goes on with it.
    expect([starts, abandoned]).toEqual([1, []]);
    expect(alive()).toEqual([]);
    expect(kernel.directory.addresses()).toEqual([]);
    expect(kernel.deadlines.size).toBe(0);
    expect(clock.timers).toBe(0);
  });
});
