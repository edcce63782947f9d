import { afterAll, describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { nodeError } from '../../src/actors/errors.js';
import {
  type ExecutionEvent,
  type ExecutionPorts,
  executionMachine,
} from '../../src/actors/execution/machine.js';
import type { DispatchOrder, NodeResult } from '../../src/actors/link/frames.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { pluginError } from '../../src/plugins/plugin-errors.js';
import { Coverage } from './coverage.js';
import { sampleOrder, silent, start } from './samples.js';

// Functions are in the context, so states are told apart by their value, how they end, and whether the handler ran.

const events: readonly ExecutionEvent[] = [
  { type: 'allowed' },
  { type: 'denied', reason: 'not here' },
  { type: 'journaled' },
  { type: 'succeeded', output: Buffer.from('{}') },
  { type: 'failed', error: nodeError('refused', 'no') },
  { type: 'failed', error: pluginError('process_ended', 'it exited with code 1') },
  { type: 'failed', error: pluginError('deadline_exceeded', 'it was over before it could start') },
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
  const ports: ExecutionPorts = {
    deadlines,
    clock,
    daemonNow: () => clock.now(),
    refusal: () => (refused ? { reason: 'node_policy', error: nodeError('refused', 'no') } : undefined),
    needsMediation: (order) => order.mediationTimeoutMs > 0,
    mediate: (_order, signal) => {
      trace.push('asked');
      signals.push(signal);
    },
    mediationChanged: (_order, waiting) => trace.push(waiting ? 'waits' : 'waits no more'),
    journalStart: () => trace.push('journals'),
    started: () => trace.push('started'),
    run: (_order, signal) => {
      trace.push('ran');
      signals.push(signal);
      return new Promise(() => undefined);
    },
    finished: (_order, result) => results.push(result),
  };
  return { clock, deadlines, ports, trace, results, signals };
}

const orders: readonly (readonly [string, DispatchOrder, boolean])[] = [
  ['may be repeated', sampleOrder(), false],
  ['may not be repeated', sampleOrder({ repeatable: false }), false],
  ['is asked for', sampleOrder({ repeatable: false, mediationTimeoutMs: 5_000 }), false],
  ['is asked for and may be repeated', sampleOrder({ mediationTimeoutMs: 5_000 }), false],
  ['comes too late', sampleOrder({ latestEndMs: start }), false],
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

/** An event, and the state that the search expects after it. */
interface Step {
  readonly event: ExecutionEvent;
  readonly state?: { readonly value: unknown };
}

function replay(order: DispatchOrder, refused: boolean, steps: readonly Step[]): void {
  const { clock, deadlines, ports, trace, results, signals } = world(refused);
  const actor = createActor(executionMachine, {
    inspect: coverage.inspect,
    input: { ports, order, age: 0 },
  });
  actor.start();
  let journaled = false;
  // Its turn came when its time was over.
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
      expect(results).toMatchObject([{ outcome: isLost ? 'unknown' : isLate ? 'timed_out' : 'failed' }]);
      neverStarted ||= isLate;
    }
  }
  const { value, status } = actor.getSnapshot();
  visited.add(value);
  const ran = trace.filter((entry) => entry === 'ran').length;
  expect(ran).toBeLessThanOrEqual(1);
  if (refused) expect(trace).toEqual([]);
  expect(results).toHaveLength(status === 'done' ? 1 : 0);
  if (value === 'stopping') expect(signals.at(-1)?.aborted).toBe(true);
  if (value === 'running') expect(signals.at(-1)?.aborted).toBe(false);
  const isTimed = value === 'running' || value === 'mediating';
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
