import { describe, expect, it } from 'vitest';
import { type AnyActorLogic, type EventObject, fromCallback, setup } from 'xstate';
import { address } from './address.js';
import { type CrowdEvent, type CrowdOptions, crowd } from './crowd.js';
import { createKernel, startRoot } from './kernel.js';
import { SimulatedClock } from './simulated-clock.js';
import { supervisor } from './supervisor.js';

const boom = new Error('boom');
const crowdAddress = address('jobs');
const job = (key: string) => address('job', key);

const trace: string[] = [];
const owned = fromCallback(() => () => trace.push('-owned'));

/** A dispatch in small: works until told how to end. `input` 'bad' fails at start. */
const work = setup({
  types: { input: {} as string, context: {} as { input: string } },
  actors: { owned },
  actions: {
    begin: ({ context }) => {
      trace.push(`+${context.input}`);
      if (context.input.startsWith('bad')) throw boom;
    },
    explode: () => {
      throw boom;
    },
  },
}).createMachine({
  context: ({ input }) => ({ input }),
  initial: 'up',
  states: {
    up: {
      entry: 'begin',
      invoke: { src: 'owned' },
      on: { throw: { actions: 'explode' }, finish: 'end', 'kernel.shutdown': 'ending' },
    },
    ending: { after: { 100: 'end' } },
    end: { type: 'final' },
  },
});

function make(options: Partial<CrowdOptions> = {}) {
  trace.length = 0;
  const clock = new SimulatedClock();
  const lines: string[] = [];
  const note = (_fields: object, message: string): void => {
    lines.push(message);
  };
  const kernel = createKernel({
    clock,
    log: { debug() {}, info: note, warn: note, error: note },
    random: () => 1,
  });
  const jobs = crowd({ kernel, name: 'jobs', logic: work, address: job, shutdownMs: 1_000, ...options });
  const root = startRoot(
    kernel,
    supervisor({
      kernel,
      strategy: 'one_for_one',
      children: [
        {
          id: 'jobs',
          address: crowdAddress,
          logic: jobs,
          restart: 'permanent',
          shutdown: Number.POSITIVE_INFINITY,
        },
      ],
    }),
  );
  const { directory } = kernel;
  const send = (event: CrowdEvent): boolean => directory.send(crowdAddress, event);
  const start = (key: string, input: unknown = key): boolean => send({ type: 'crowd.start', key, input });
  const tell = (key: string, type: string): boolean => directory.send(job(key), { type });
  return { clock, kernel, jobs, root, lines, directory, send, start, tell };
}

describe('crowd', () => {
  it('has a member registered when the send returns, and forgets it when it ends', () => {
    const { kernel, jobs, directory, start, tell } = make();
    start('1');
    expect(directory.has(job('1'))).toBe(true);
    expect(jobs.count).toBe(1);
    tell('1', 'finish');
    expect(directory.has(job('1'))).toBe(false);
    expect(jobs.count).toBe(0);
    start('1', 'second life');
    expect(trace).toEqual(['+1', '-owned', '+second life']);
    expect(kernel.deadlines.size).toBe(0);
  });

  it('takes any key that its addresses take', () => {
    const { jobs, start, tell } = make({ address: (key) => address('job', key.replaceAll('_', '-')) });
    for (const key of ['__proto__', 'a#1', 'constructor']) start(`x${key}`);
    expect(jobs.count).toBe(3);
    tell('xa#1', 'finish');
    expect(jobs.count).toBe(2);
  });

  it('refuses a running key, more than its capacity and a key without an address; the others go on', () => {
    const { jobs, directory, lines, start, tell } = make({ capacity: 2 });
    start('1');
    start('1', 'impostor');
    start('2');
    start('3');
    expect(jobs.count).toBe(2);
    expect(directory.deadLetters.recent().map((letter) => [letter.address, letter.reason])).toEqual([
      ['job/1', 'refused'],
      ['job/3', 'refused'],
    ]);
    tell('2', 'finish');
    start('no such/address');
    expect(jobs.count).toBe(1);
    expect(trace).toEqual(['+1', '+2', '-owned']);
    expect(lines.filter((line) => line === 'A member was not started')).toHaveLength(2);
  });

  it('starts a crashed member once more from its record, then abandons it', () => {
    const revived: string[] = [];
    const abandoned: [string, unknown][] = [];
    const { jobs, directory, start, tell } = make({
      revive: (key) => {
        revived.push(key);
        return `${key} again`;
      },
      abandon: (key, error) => abandoned.push([key, error]),
    });
    for (const key of ['1', '2']) start(key);
    tell('1', 'throw');
    expect(directory.has(job('1'))).toBe(true);
    expect(trace).toEqual(['+1', '+2', '-owned', '+1 again']);
    tell('1', 'throw');
    expect(directory.has(job('1'))).toBe(false);
    expect(revived).toEqual(['1']);
    expect(abandoned).toEqual([['1', boom]]);
    expect(jobs.count).toBe(1);
  });

  it('abandons at once without a record, and survives a revive and an abandon that throw', () => {
    const abandoned: string[] = [];
    const throwing = (): never => {
      throw new Error('no disk');
    };
    const none = make({ revive: () => undefined, abandon: (key) => abandoned.push(key) });
    none.start('1');
    none.tell('1', 'throw');
    expect(abandoned).toEqual(['1']);

    const bad = make({ revive: throwing, abandon: throwing });
    bad.start('1');
    bad.tell('1', 'throw');
    bad.start('2');
    expect(bad.jobs.count).toBe(1);
    expect(bad.lines).toEqual(['A member crashed', 'Reviving a member threw', 'Abandoning a member threw']);
  });

  it('is not brought down by any number of members that fail at start', () => {
    const abandoned: string[] = [];
    const { jobs, directory, start } = make({
      revive: () => 'bad too',
      abandon: (key) => abandoned.push(key),
    });
    start('good');
    for (let n = 0; n < 100; n += 1) start(`${n}`, 'bad');
    expect(abandoned).toHaveLength(100);
    expect(jobs.count).toBe(1);
    expect(directory.addresses()).toEqual(['jobs', 'job/good']);
    expect(trace.filter((entry) => entry.startsWith('+bad'))).toHaveLength(200);
  });

  it('stops one member gracefully, or by force at the limit', () => {
    const stubborn: AnyActorLogic = fromCallback(() => () => trace.push('forced'));
    for (const [logic, after] of [
      [work, 100],
      [stubborn, 1_000],
    ] as const) {
      const { clock, kernel, jobs, send, start } = make({ logic });
      start('1');
      send({ type: 'crowd.stop', key: '1' });
      send({ type: 'crowd.stop', key: 'unknown' });
      clock.advance(after - 1);
      expect(jobs.count).toBe(1);
      clock.advance(1);
      expect(jobs.count).toBe(0);
      expect(kernel.deadlines.size).toBe(0);
    }
    expect(trace).toEqual(['forced']);
  });

  it('tells a member once to end, however often it is asked to', async () => {
    const got: EventObject[] = [];
    const deaf = fromCallback(({ receive }) => receive((event) => got.push(event)));
    const { clock, kernel, root, send, start } = make({ logic: deaf });
    start('1');
    send({ type: 'crowd.stop', key: '1', reason: 'first' });
    clock.advance(900);
    send({ type: 'crowd.stop', key: '1', reason: 'second' });
    expect(kernel.deadlines.size).toBe(1);
    const ended = root.shutdown('third', 60_000);
    expect(got).toEqual([{ type: 'kernel.shutdown', reason: 'first' }]);
    clock.advance(100);
    await expect(ended).resolves.toMatchObject({ status: 'done' });
    expect(kernel.deadlines.size).toBe(0);
  });

  it('waits for ever for members when its limit is Infinity', () => {
    const { clock, kernel, jobs, send, start, tell, root } = make({
      logic: fromCallback(() => {}),
      shutdownMs: Number.POSITIVE_INFINITY,
    });
    for (const key of ['1', '2']) start(key);
    send({ type: 'crowd.stop', key: '1' });
    void root.shutdown('test', Number.POSITIVE_INFINITY);
    clock.advance(365 * 86_400_000);
    expect(jobs.count).toBe(2);
    for (const key of ['1', '2']) tell(key, 'xstate.stop');
    expect(jobs.count).toBe(0);
    expect(kernel.deadlines.size).toBe(0);
  });

  it.each([{ shutdownMs: Number.NaN }, { shutdownMs: -1 }, { capacity: Number.NaN }, { capacity: -1 }])(
    'refuses %o',
    (options) => {
      expect(() => make(options)).toThrow(expect.objectContaining({ code: 'kernel.bad_supervisor' }));
    },
  );

  it('notices a member that was stopped by others', () => {
    const { jobs, directory, start, tell } = make();
    start('1');
    tell('1', 'xstate.stop');
    expect(jobs.count).toBe(0);
    expect(directory.addresses()).toEqual(['jobs']);
  });

  it('shuts all members down in parallel, starts none meanwhile, and is done when they are', async () => {
    const { clock, kernel, jobs, root, directory, start } = make();
    for (let n = 0; n < 50; n += 1) start(`${n}`);
    const ended = root.shutdown('test', 60_000);
    start('late');
    clock.advance(99);
    expect(jobs.count).toBe(50);
    clock.advance(1);
    expect(jobs.count).toBe(0);
    await expect(ended).resolves.toMatchObject({ status: 'done' });
    expect(directory.deadLetters.recent().at(-1)).toMatchObject({ address: 'job/late', reason: 'refused' });
    expect(kernel.deadlines.size).toBe(0);
  });

  it('stops those that do not end within its limit', async () => {
    const { clock, kernel, jobs, root, directory, start } = make({ logic: fromCallback(() => {}) });
    for (let n = 0; n < 50; n += 1) start(`${n}`);
    const ended = root.shutdown('test', 60_000);
    clock.advance(1_000);
    await expect(ended).resolves.toMatchObject({ status: 'done' });
    expect(jobs.count).toBe(0);
    expect(directory.addresses()).toEqual([]);
    expect(kernel.deadlines.size).toBe(0);
  });

  it('takes its members down with it, and starts empty when it is restarted', () => {
    const { jobs, directory, start } = make();
    start('1');
    directory.send(crowdAddress, { type: 'xstate.stop' });
    expect(trace).toEqual(['+1', '-owned']);
    expect(directory.addresses()).toEqual(['jobs']);
    expect(jobs.count).toBe(0);
    start('1');
    expect(jobs.count).toBe(1);
  });

  it('spawns and stops at a cost that does not grow with the number of members', () => {
    const { start, tell, jobs } = make();
    const churn = (rounds: number): number => {
      const from = performance.now();
      for (let n = 0; n < rounds; n += 1) {
        start('churn');
        tell('churn', 'finish');
      }
      return (performance.now() - from) / rounds;
    };
    const best = (): number => Math.min(...Array.from({ length: 5 }, () => churn(200)));
    for (let n = 0; n < 10; n += 1) start(`idle-${n}`);
    churn(2_000);
    const few = best();
    for (let n = 10; n < 10_000; n += 1) start(`idle-${n}`);
    expect(jobs.count).toBe(10_000);
    const many = best();
    // Copying a table of 10,000 on each spawn, as a machine does, costs some 50 times as much.
    expect(many).toBeLessThan(few * 4);
  });
});
