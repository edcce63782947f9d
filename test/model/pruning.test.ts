import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { type PruningPorts, sweepMs } from '../../src/actors/pruning/behaviour.js';
import type { PruningEvent } from '../../src/actors/pruning/events.js';
import { pruningMachine } from '../../src/actors/pruning/machine.js';
import type { PruneJob, PruneOrder } from '../../src/actors/pruning/view.js';
import type { SweepProgress, SweepRule } from '../../src/actors/sweeper.js';
import { type Role, verifiedCaller } from '../../src/kernel/authority.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import type { AppError } from '../../src/kernel/errors.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { turns } from '../../src/testing/process-life.js';
import { Coverage } from './coverage.js';
import { silent, start } from './samples.js';

const caller = (role: Role) => verifiedCaller({ kind: 'operator', name: role, role });
const rule = { ageMs: 30 * 86_400_000, count: 1_000_000 };
const none = () => undefined;

interface Sweep {
  readonly rule: SweepRule;
  readonly dryRun: boolean;
  readonly progress: SweepProgress;
  end(error?: Error): Promise<void>;
}

function world() {
  const clock = new SimulatedClock(start);
  const deadlines = new Deadlines(clock, silent);
  const sweeps: Sweep[] = [];
  const told: string[] = [];
  const ports: PruningPorts = {
    deadlines,
    clock,
    rule,
    sweep: (wanted, progress, dryRun) =>
      new Promise((resolve, reject) => {
        const end = async (error?: Error): Promise<void> => {
          if (error) reject(error);
          else resolve();
          await turns(1);
        };
        sweeps.push({ rule: wanted, progress, dryRun, end });
      }),
    swept: (pruned, by) => told.push(`${pruned} by ${by}`),
    failed: () => told.push('failed'),
  };
  const actor = createActor(pruningMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  const ask = (order: PruneOrder, role: Role = 'admin'): PruneJob | string => {
    let answer: PruneJob | string = 'no answer';
    actor.send({
      type: 'prune',
      caller: caller(role),
      order,
      reply: {
        resolve: (job) => {
          answer = job;
        },
        reject: ({ code }: AppError) => {
          answer = code;
        },
      },
    });
    return answer;
  };
  const look = (): PruneJob | undefined => {
    let seen: PruneJob | undefined;
    const resolve = (job: PruneJob | undefined): void => {
      seen = job;
    };
    actor.send({ type: 'look', reply: { resolve, reject: none } });
    return seen;
  };
  return { clock, deadlines, sweeps, told, actor, ask, look, ports };
}

const visited = new Set<string>();
const coverage = new Coverage(pruningMachine);
const reply = { resolve: none, reject: none };
const events: readonly PruningEvent[] = [
  { type: 'deadline' },
  { type: 'prune', caller: caller('admin'), order: { keep: 1 }, reply },
  { type: 'prune', caller: caller('admin'), order: { keep: 2 }, reply },
  { type: 'prune', caller: caller('approver'), order: { keep: 1 }, reply },
  { type: 'look', reply },
  { type: 'swept', run: 1 },
  { type: 'swept', run: 2 },
  { type: 'failed', run: 1, error: new Error('no') },
];

beforeAll(() => {
  vi.spyOn(console, 'warn').mockImplementation(none);
});

it('has one sweep under way or one deadline, on every shortest path and one event more', () => {
  const paths = getShortestPaths(pruningMachine, {
    input: { ports: { ...world().ports, sweep: () => new Promise<void>(none) } },
    events: [...events],
    serializeState: ({ value, context }) =>
      JSON.stringify([value, Math.min(2, context.run), context.current?.order, context.next?.order]),
    stopWhen: ({ context }) => context.run > 2,
  });
  expect(paths.length).toBeGreaterThan(6);
  for (const path of paths) {
    const begin = path.steps.slice(1).map((step) => step.event);
    for (const last of events) {
      const { actor, deadlines, sweeps } = world();
      for (const event of [...begin, last]) actor.send(event);
      const { value, context } = actor.getSnapshot();
      visited.add(value);
      expect(deadlines.pending(actor)).toHaveLength(value === 'sweeping' ? 0 : 1);
      expect(sweeps).toHaveLength(context.run);
      if (value !== 'sweeping') expect([context.current, context.next]).toEqual([undefined, undefined]);
      actor.stop();
    }
  }
});

describe('what ended long ago', () => {
  it('is deleted at the start and every hour, also after a failure', async () => {
    const { clock, sweeps, told, look } = world();
    clock.advance(0);
    expect(sweeps[0]).toMatchObject({ rule, dryRun: false });
    await sweeps[0]?.end(new Error('busy'));
    clock.advance(sweepMs - 1);
    expect(sweeps).toHaveLength(1);
    clock.advance(1);
    await sweeps[1]?.end();
    expect(told).toEqual(['failed', '0 by undefined']);
    expect(look()).toBeUndefined();
  });
});

describe('an order', () => {
  it('is carried out at once, and tells how far it is and how it ended', async () => {
    const { clock, sweeps, ask, look, told } = world();
    const job = ask({ olderThanMs: 5, states: ['failed'], dryRun: true });
    expect(job).toMatchObject({ number: 1, state: 'running', by: 'operator:admin', createdAt: start });
    const [sweep] = sweeps;
    if (!sweep) throw new Error('nothing was begun');
    expect(sweep).toMatchObject({ rule: { ageMs: 5, states: ['failed'] }, dryRun: true });
    Object.assign(sweep.progress, { looked: 100, matched: 7 });
    expect(look()).toMatchObject({ state: 'running', looked: 100, matched: 7 });
    clock.advance(3);
    await sweep.end();
    expect(look()).toMatchObject({ state: 'done', matched: 7, finishedAt: start + 3 });
    expect(told).toEqual(['0 by operator:admin']);
    ask({});
    expect(sweeps[1]?.rule).toEqual(rule);
    await sweeps[1]?.end(new Error('the disk is gone'));
    expect(look()).toMatchObject({ number: 2, state: 'failed', error: { message: 'the disk is gone' } });
  });

  it('in the same words joins what is under way; in others it is refused', () => {
    const { sweeps, ask } = world();
    ask({ states: ['failed', 'expired'] });
    expect(ask({ states: ['expired', 'failed', 'failed'], dryRun: false })).toMatchObject({ number: 1 });
    expect(ask({ states: ['failed'] })).toBe('pruning.busy');
    expect(ask({ states: ['failed', 'expired'], dryRun: true })).toBe('pruning.busy');
    expect(sweeps).toHaveLength(1);
  });

  it('waits for the sweep of the hour, one alone, and then has its turn', async () => {
    const { clock, sweeps, ask, look } = world();
    clock.advance(0);
    expect(ask({ keep: 3 })).toMatchObject({ number: 1, state: 'waiting' });
    expect(ask({ keep: 3 })).toMatchObject({ number: 1, state: 'waiting' });
    expect(ask({ keep: 4 })).toBe('pruning.busy');
    expect(look()).toMatchObject({ state: 'waiting' });
    await sweeps[0]?.end();
    expect(sweeps[1]?.rule).toEqual({ count: 3 });
    expect(look()).toMatchObject({ number: 1, state: 'running' });
    await sweeps[1]?.end();
    expect(look()).toMatchObject({ state: 'done' });
  });

  it('of anybody but an admin is refused, whatever is under way', () => {
    const { clock, sweeps, ask } = world();
    expect(ask({}, 'approver')).toBe('pruning.forbidden');
    expect(sweeps).toEqual([]);
    clock.advance(0);
    expect(ask({}, 'approver')).toBe('pruning.forbidden');
    ask({ keep: 1 });
    expect(ask({ keep: 1 }, 'approver')).toBe('pruning.forbidden');
  });
});

it('is not moved by the end of a sweep that began before it was started again', async () => {
  const { clock, sweeps, actor } = world();
  clock.advance(0);
  actor.stop();
  await sweeps[0]?.end();
  expect(actor.getSnapshot().status).toBe('stopped');
});

afterAll(() => {
  vi.restoreAllMocks();
  expect([...visited].sort()).toEqual(Object.keys(pruningMachine.states).sort());
  coverage.expectAll();
});
