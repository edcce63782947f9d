import { afterAll, describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { nodeError } from '../../src/actors/errors.js';
import type { ExecutionEvent } from '../../src/actors/execution/events.js';
import { type ExecutionPorts, executionMachine } from '../../src/actors/execution/machine.js';
import type { DispatchOrder, NodeResult } from '../../src/actors/link/frames.js';
import { type Permission, permission } from '../../src/actors/mediation/permission.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { pluginError } from '../../src/plugins/plugin-errors.js';
import { Coverage } from './coverage.js';
import { sampleOrder, silent, start } from './samples.js';

// Functions are in the context, so states are told apart by their value, how they end, and whether the handler ran.

const yes = { dispatchId: 'dp_1', descriptorDigest: 'd', build: 'b', by: 'person' } as const;
const events: readonly ExecutionEvent[] = [
  { type: 'waits' },
  { type: 'allowed', permission: permission(yes) },
  { type: 'allowed', permission: permission({ ...yes, dispatchId: 'dp_2' }) },
  { type: 'allowed', permission: permission({ ...yes, descriptorDigest: 'other' }) },
  { type: 'denied' },
  { type: 'nobody', reason: 'no terminal' },
  { type: 'unanswered' },
  { type: 'journaled' },
  { type: 'succeeded', output: Buffer.from('{}') },
  { type: 'failed', error: nodeError('refused', 'no') },
  { type: 'failed', error: pluginError('process_ended', 'it exited with code 1') },
  { type: 'failed', error: pluginError('deadline_exceeded', 'it was over before it could start') },
  { type: 'failed', error: pluginError('not_allowed', 'another build would run') },
  { type: 'failed', error: pluginError('never_started', 'it was stopped before its turn came') },
  { type: 'failed', error: pluginError('busy', 'too many wait for their turn') },
  { type: 'cancel', reason: 'enough' },
  { type: 'deadline' },
  { type: 'kernel.shutdown', reason: 'stop' },
];

function world(refused: boolean) {
  const clock = new SimulatedClock(start);
  const deadlines = new Deadlines(clock, silent);
  const trace: string[] = [];
  const results: NodeResult[] = [];
  const signals: AbortSignal[] = [];
  const limits: number[] = [];
  const permissions: (Permission | undefined)[] = [];
  const ports: ExecutionPorts = {
    deadlines,
    clock,
    daemonNow: () => clock.now(),
    refusal: () => (refused ? { reason: 'node_policy', error: nodeError('refused', 'no') } : undefined),
    needsMediation: (order) => order.mediationTimeoutMs > 0,
    mediate: (_order, limitMs, signal) => {
      limits.push(limitMs);
      trace.push('asked');
      signals.push(signal);
    },
    mediationChanged: (_order, waiting) => trace.push(waiting ? 'waits' : 'waits no more'),
    journalStart: () => trace.push('journals'),
    started: () => trace.push('started'),
    run: (_order, signal, _deadline, given) => {
      trace.push('ran');
      permissions.push(given);
      signals.push(signal);
      return new Promise(() => undefined);
    },
    finished: (_order, result) => results.push(result),
  };
  return { clock, deadlines, ports, trace, results, signals, limits, permissions };
}

const orders: readonly (readonly [string, DispatchOrder, boolean])[] = [
  ['may be repeated', sampleOrder(), false],
  ['may not be repeated', sampleOrder({ repeatable: false }), false],
  ['is asked for', sampleOrder({ repeatable: false, mediationTimeoutMs: 5_000 }), false],
  ['is asked for and may be repeated', sampleOrder({ mediationTimeoutMs: 5_000 }), false],
  ['comes too late', sampleOrder({ latestEndMs: start }), false],
  [
    'is asked for, and soon comes too late',
    sampleOrder({ mediationTimeoutMs: 5_000, latestEndMs: start + 2_000 }),
    false,
  ],
  ['is refused', sampleOrder({ mediationTimeoutMs: 5_000 }), true],
];
const visited = new Set<string>();
const coverage = new Coverage(executionMachine);

describe.each(orders)('work that %s', (_name, order, refused) => {
  it('obeys its rules on every shortest path', () => {
    const paths = getShortestPaths(executionMachine, {
      input: { ports: world(refused).ports, order, age: 0 },
      events,
      serializeState: ({ value, context }) =>
        JSON.stringify([
          value,
          context.ending?.outcome,
          context.ending?.reason,
          context.runStarted !== undefined,
        ]),
    });
    for (const path of paths) {
      const steps: readonly Step[] = path.steps.slice(1);
      replay(order, refused, steps);
      // A shortest path ends where a state is met first, so every other way into it comes after one.
      if (path.state.status !== 'active') continue;
      for (const event of events) replay(order, refused, [...steps, { event }]);
    }
  });
});

it('does not start what is allowed after its latest end', () => {
  const { clock, ports, trace, results } = world(false);
  const order = sampleOrder({ mediationTimeoutMs: 5_000, latestEndMs: start + 2_000 });
  const input = { ports, order, age: 0 };
  const actor = createActor(executionMachine, { inspect: coverage.inspect, input });
  actor.start();
  clock.advance(2_000);
  actor.send({ type: 'allowed', permission: permission(yes) });
  expect(results).toMatchObject([{ outcome: 'timed_out', started: false }]);
  expect(trace).toEqual(['asked']);
});

it('ends a handler at the latest end, though a person took long to decide', () => {
  const { clock, deadlines, ports } = world(false);
  const order = sampleOrder({ mediationTimeoutMs: 60_000, latestEndMs: start + 50_000 });
  const actor = createActor(executionMachine, { input: { ports, order, age: 0 } });
  actor.start();
  clock.advance(19_000);
  actor.send({ type: 'allowed', permission: permission(yes) });
  // What the person took is not of its time ...
  expect(deadlines.pending(actor)).toMatchObject([{ inMs: 30_000 }]);
  actor.stop();
  const late = createActor(executionMachine, { input: { ports, order, age: 0 } });
  late.start();
  clock.advance(21_000);
  late.send({ type: 'allowed', permission: permission(yes) });
  // ... until the latest end.
  expect(deadlines.pending(late)).toMatchObject([{ inMs: 10_000 }]);
  late.stop();
});

/** An event, and the state that the search expects after it. */
interface Step {
  readonly event: ExecutionEvent;
  readonly state?: { readonly value: unknown };
}

function replay(order: DispatchOrder, refused: boolean, steps: readonly Step[]): void {
  const { clock, deadlines, ports, trace, results, signals, limits, permissions } = world(refused);
  const actor = createActor(executionMachine, {
    inspect: coverage.inspect,
    input: { ports, order, age: 0 },
  });
  actor.start();
  let journaled = false;
  let neverStarted = false;
  for (const { event, state } of steps) {
    const before = actor.getSnapshot().value;
    if (event.type === 'deadline') clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
    else actor.send(event);
    journaled ||= event.type === 'journaled';
    if (state) expect(actor.getSnapshot().value).toEqual(state.value);
    if (!order.repeatable && trace.includes('ran')) expect(journaled).toBe(true);
    // What really happened counts, also for a handler that was told to stop.
    if (event.type === 'succeeded' && (before === 'running' || before === 'stopping'))
      expect(results).toMatchObject([{ outcome: 'succeeded', output: event.output }]);
    // Whether a handler whose process ended under it had done its work is known to nobody.
    if (event.type === 'failed' && before === 'running') {
      const isLost = event.error.code === 'plugin.process_ended' && !order.repeatable;
      const isLate = event.error.code === 'plugin.deadline_exceeded';
      const isRefused = event.error.code === 'plugin.not_allowed';
      const other = isRefused ? 'rejected' : 'failed';
      expect(results).toMatchObject([{ outcome: isLost ? 'unknown' : isLate ? 'timed_out' : other }]);
    }
    // Its turn never came: it ends as what stopped or refused it, and was never started.
    neverStarted ||=
      event.type === 'failed' &&
      (before === 'running' || before === 'stopping') &&
      ['deadline_exceeded', 'not_allowed', 'never_started', 'busy'].includes(event.error.code.slice(7));
  }
  const { value, status } = actor.getSnapshot();
  visited.add(value);
  const ran = trace.filter((entry) => entry === 'ran').length;
  expect(ran).toBeLessThanOrEqual(1);
  if (refused) expect(trace).toEqual([]);
  expect(results).toHaveLength(status === 'done' ? 1 : 0);
  // What asks for a person runs by a permission for this very call, and the question is bounded by the latest end too.
  const isAsked = order.mediationTimeoutMs > 0;
  if (ran > 0) expect(permissions).toEqual(isAsked ? [yes] : [undefined]);
  for (const limit of limits) expect(limit).toBe(Math.min(5_000, order.latestEndMs - start));
  if (value === 'stopping') expect(signals.at(-1)?.aborted).toBe(true);
  if (value === 'running') expect(signals.at(-1)?.aborted).toBe(false);
  const isTimed = value === 'running';
  expect(deadlines.pending(actor)).toHaveLength(isTimed ? 1 : 0);
  if (status === 'done') {
    expect(results[0]).toMatchObject({ dispatchId: order.dispatchId, started: ran === 1 && !neverStarted });
    expect(results[0]?.outcome === 'succeeded').toBe(results[0]?.error === undefined);
    // A question that nobody needs to answer any more was taken back.
    if (trace.includes('asked')) expect(signals[0]?.aborted).toBe(true);
  }
  actor.stop();
}

it('is not started when all of its time went by on the way', () => {
  const { ports, trace, results } = world(false);
  const order = sampleOrder({ repeatable: false, timeoutMs: 100 });
  createActor(executionMachine, { input: { ports, order, age: 100 } }).start();
  expect(results).toMatchObject([{ outcome: 'timed_out', started: false }]);
  expect(trace).toEqual([]);
});

afterAll(() => {
  const all = Object.keys(executionMachine.states).filter((state) => state !== 'checking');
  expect([...visited].sort()).toEqual(all.sort());
  coverage.expectAll();
});
