import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { DeviceBar } from '../../src/actors/device/bars.js';
import { type DispatchPorts, settleLimitMs } from '../../src/actors/dispatch/behaviour.js';
import type { DispatchEvent } from '../../src/actors/dispatch/events.js';
import { dispatchMachine } from '../../src/actors/dispatch/machine.js';
import { type DispatchRecord, isTerminal } from '../../src/actors/dispatch/record.js';
import type { NodeOutcome } from '../../src/actors/link/frames.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { Coverage } from './coverage.js';
import { sampleDispatch, sampleResult, silent, start } from './samples.js';

/*
 * The context holds functions and times, so states are told apart by what matters for what comes next, and time stands
 * still while paths are searched. Each path is then replayed on a real actor, where a deadline fires only when its time
 * has come on the clock; a path in which time has moved is held to the rules alone, any other also to its states.
 */

const ada = verifiedCaller({ kind: 'operator', name: 'ada', role: 'invoker' });
const outcomes: readonly NodeOutcome[] = [
  'succeeded',
  'failed',
  'rejected',
  'timed_out',
  'cancelled',
  'unknown',
];
const events: readonly DispatchEvent[] = [
  ...(['none', 'received', 'started', 'finished', 'interrupted', 'cancelled'] as const).flatMap((phase) =>
    [true, false].map((ticketMatches) => ({ type: 'settle' as const, epoch: 7, phase, ticketMatches })),
  ),
  { type: 'recorded' },
  { type: 'delivered', at: start },
  { type: 'session.lost' },
  { type: 'started' },
  { type: 'mediation', waiting: true },
  { type: 'mediation', waiting: false },
  ...outcomes.map((outcome) => ({ type: 'result' as const, result: sampleResult({ outcome }) })),
  { type: 'cancel', caller: ada, reason: 'enough' },
  ...(['not_known', 'stopping', 'already_finished'] as const).map((outcome) => ({
    type: 'cancel.outcome' as const,
    outcome,
  })),
  // While the device is not barred, which in the search it never is, this changes nothing.
  { type: 'device.barred' },
  { type: 'deadline' },
];
const bar: DeviceBar = { state: 'revoked', by: 'operator:eve', reason: 'stolen' };

function world(record: DispatchRecord, at: number) {
  const clock = new SimulatedClock(at);
  const deadlines = new Deadlines(clock, silent);
  const ended: DispatchRecord[] = [];
  const recorded = new Set<number>([0, record.sentInEpoch]);
  const faults: string[] = [];
  const held: { bar: DeviceBar | undefined; byBuild: boolean } = { bar: undefined, byBuild: false };
  const ports: DispatchPorts = {
    deadlines,
    clock,
    isHeld: () => held.byBuild,
    offer: (offered) => {
      if (offered.sentInEpoch === 0) faults.push('was offered before its record said so');
      if (!recorded.has(offered.sentInEpoch) && !record.sentInEpoch)
        faults.push('was offered before it was recorded');
      if (isTerminal(offered.state)) faults.push('was offered after its end');
      return !held.byBuild;
    },
    barOf: () => held.bar,
    withdraw: () => undefined,
    cancelAtNode: () => undefined,
    judge: (_record, result) => ({
      state: result.outcome === 'unknown' ? 'outcome_unknown' : result.outcome,
      started: result.started,
    }),
    recordFirst: (first) => {
      recorded.add(first.sentInEpoch);
    },
    changed: (changed) => {
      if (isTerminal(changed.state)) faults.push('was changed after its end');
    },
    ended: (record) => ended.push(record),
  };
  return { clock, deadlines, ports, ended, faults, held };
}

const visited = new Set<string>();
const coverage = new Coverage(dispatchMachine);
const states = {
  'new and queued': { record: sampleDispatch(), fresh: true },
  'new and sendable': { record: sampleDispatch({ sentInEpoch: 3 }), fresh: true },
  'perhaps sent': { record: sampleDispatch({ sentInEpoch: 3 }), fresh: false },
  'at a person': {
    record: sampleDispatch({ sentInEpoch: 3, state: 'awaiting_local_mediation' }),
    fresh: false,
  },
  running: { record: sampleDispatch({ sentInEpoch: 3, state: 'running' }), fresh: false },
  unwanted: {
    record: sampleDispatch({ sentInEpoch: 3, state: 'dispatched', cancelRequestedBy: 'operator:ada' }),
    fresh: false,
  },
} as const;
const times = {
  early: start,
  'after the latest end': start + 90_000,
  'after the settle limit': start + 90_000 + settleLimitMs,
} as const;

describe.each(Object.entries(states))('a dispatch that is %s', (_name, { record, fresh }) => {
  describe.each(Object.entries(times))('%s', (_when, at) => {
    it.each([true, false])(
      'obeys its rules on every shortest path and beyond (repeatable: %s)',
      (repeatable) => {
        const input = { record: { ...record, repeatable }, fresh };
        const paths = getShortestPaths(dispatchMachine, {
          input: { ...input, ports: world(input.record, at).ports },
          events,
          serializeState: ({ value, context }) =>
            JSON.stringify([
              value,
              context.record.state,
              context.record.cancelRequestedBy,
              context.record.deliveredAt !== undefined,
              context.record.steps.some((step) => step.to === 'resent'),
              context.outcome?.reason,
            ]),
        });
        expect(paths.length).toBeGreaterThan(3);
        for (const path of paths) {
          const steps: readonly Step[] = path.steps.slice(1);
          replay(input, at, steps);
          // A shortest path holds no event that changes nothing, so each of those comes after it.
          if (path.state.status !== 'active') continue;
          for (const event of events) replay(input, at, [...steps, { event }]);
          bars(input, at, steps);
        }
      },
    );
  });
});

/** An event, and the state that the search expects after it. */
interface Step {
  readonly event: DispatchEvent;
  readonly state?: { readonly value: unknown };
}

function wasDelivered({ deliveredAt, steps }: DispatchRecord): boolean {
  return deliveredAt !== undefined || steps.some(({ to }) => to === 'resent' || to === 'dispatched');
}

/** Bars the device after those steps: what it may have had has an unknown outcome, what it never had is cancelled. */
function bars(
  input: { readonly record: DispatchRecord; readonly fresh: boolean },
  at: number,
  steps: readonly Step[],
): void {
  const { ports, ended, held, deadlines } = world(input.record, at);
  const actor = createActor(dispatchMachine, { inspect: coverage.inspect, input: { ...input, ports } });
  actor.start();
  for (const { event } of steps) if (event.type !== 'deadline') actor.send(event);
  const { value, context, status } = actor.getSnapshot();
  if (status !== 'active') return;
  const waits = value === 'queued' || value === 'marking';
  const isCancelled = waits || (value === 'offered' && !wasDelivered(context.record));
  held.bar = bar;
  actor.send({ type: 'device.barred' });
  const state = isCancelled ? 'cancelled' : 'outcome_unknown';
  expect(ended).toMatchObject([{ state, outcome: { state, reason: 'revoked' } }]);
  expect(ended[0]?.steps.at(-1)).toMatchObject({ to: state, by: 'operator:eve', note: 'revoked' });
  expect(ended[0]?.outcome?.started).toBe(isCancelled ? false : undefined);
  expect(deadlines.pending(actor)).toHaveLength(0);
}

it.each([
  ['new and queued', 'cancelled'],
  ['new and sendable', 'cancelled'],
  ['perhaps sent', 'outcome_unknown'],
  ['at a person', 'outcome_unknown'],
  ['running', 'outcome_unknown'],
  ['unwanted', 'outcome_unknown'],
] as const)('a dispatch that is %s when it starts on a barred device ends as %s', (name, state) => {
  const { record, fresh } = states[name];
  const { ports, ended, held } = world(record, start);
  held.bar = bar;
  createActor(dispatchMachine, { inspect: coverage.inspect, input: { record, fresh, ports } }).start();
  expect(ended).toMatchObject([{ state, outcome: { state, reason: 'revoked' } }]);
});

describe('work that may not run twice, of which the node offers a build that is not approved', () => {
  const settle = (ticketMatches: boolean): DispatchEvent => ({
    type: 'settle',
    epoch: 7,
    phase: 'none',
    ticketMatches,
  });

  /** What becomes of a record in another life of the daemon, to which a node without its ticket comes. */
  function afterRestart(record: DispatchRecord): unknown {
    const { ports } = world(record, start);
    const input = { ports, record, fresh: false };
    const actor = createActor(dispatchMachine, { inspect: coverage.inspect, input });
    actor.start();
    actor.send(settle(false));
    return actor.getSnapshot().value;
  }

  it('is not marked as sent while it is held, so that it goes out after a restart whatever ticket is shown', () => {
    const record = sampleDispatch({ repeatable: false });
    const { ports, held, deadlines } = world(record, start);
    const recordFirst = vi.spyOn(ports, 'recordFirst');
    held.byBuild = true;
    const input = { ports, record, fresh: false };
    const actor = createActor(dispatchMachine, { inspect: coverage.inspect, input });
    actor.start();
    actor.send(settle(true));
    expect(actor.getSnapshot().value).toBe('queued');
    expect(actor.getSnapshot().context.record).toBe(record);
    expect(deadlines.pending(actor)).toHaveLength(1);
    expect(recordFirst).not.toHaveBeenCalled();
    expect(afterRestart(actor.getSnapshot().context.record)).toBe('marking');
    held.byBuild = false;
    actor.send(settle(true));
    expect(actor.getSnapshot().value).toBe('marking');
    actor.stop();
  });

  it('is marked as never sent again when it came to be held, or its session was lost, before it could go out', () => {
    const record = sampleDispatch({ repeatable: false });
    const { ports, held } = world(record, start);
    const changed = vi.spyOn(ports, 'changed');
    const input = { ports, record, fresh: false };
    const actor = createActor(dispatchMachine, { inspect: coverage.inspect, input });
    actor.start();
    for (const byBuild of [true, false]) {
      held.byBuild = false;
      actor.send(settle(true));
      expect(actor.getSnapshot().context.record.sentInEpoch).toBe(7);
      held.byBuild = byBuild;
      actor.send({ type: 'recorded' });
      if (!byBuild) actor.send({ type: 'session.lost' });
      expect(actor.getSnapshot().value).toBe('queued');
      const [written] = changed.mock.lastCall ?? [];
      expect(written?.sentInEpoch).toBe(0);
      expect(written && afterRestart(written)).toBe('marking');
    }
    actor.stop();
  });
});

describe('a dispatch that is asked about at its node', () => {
  const asked = (waiting: boolean): DispatchEvent => ({ type: 'mediation', waiting });

  function begin() {
    const { ports, ended } = world(states['at a person'].record, start);
    const actor = createActor(dispatchMachine, {
      inspect: coverage.inspect,
      input: { ...states['at a person'], ports },
    });
    actor.start();
    return { actor, ended };
  }

  it('still waits for the person when its node comes back and says so', () => {
    const { actor } = begin();
    actor.send({ type: 'settle', epoch: 7, phase: 'received', ticketMatches: true });
    actor.send(asked(true));
    expect(actor.getSnapshot().value).toBe('awaiting_local_mediation');
    actor.send(asked(false));
    expect(actor.getSnapshot().value).toBe('dispatched');
    actor.stop();
  });

  it('keeps a bounded number of steps whatever its node and callers say, and its end', () => {
    const { actor, ended } = begin();
    for (let at = 0; at < 300; at++) {
      actor.send(asked(at % 2 === 1));
      actor.send({ type: 'cancel', caller: ada, reason: `${at}` });
    }
    expect(actor.getSnapshot().context.record.steps).toHaveLength(256);
    actor.send({ type: 'result', result: sampleResult({ outcome: 'cancelled' }) });
    expect(ended[0]?.steps).toHaveLength(257);
    expect(ended[0]?.steps.at(-1)).toMatchObject({ to: 'cancelled', by: 'device:LABNODE' });
  });
});

function replay(
  input: { readonly record: DispatchRecord; readonly fresh: boolean },
  at: number,
  steps: readonly Step[],
): void {
  const { clock, deadlines, ports, ended, faults } = world(input.record, at);
  const actor = createActor(dispatchMachine, { inspect: coverage.inspect, input: { ...input, ports } });
  actor.start();
  let timeMoved = false;
  let before = actor.getSnapshot().context.record;
  for (const { event, state } of steps) {
    if (event.type === 'deadline') {
      const [pending] = deadlines.pending(actor);
      timeMoved ||= (pending?.inMs ?? 0) > 0;
      clock.advance(pending?.inMs ?? 0);
    } else if (actor.getSnapshot().status === 'active') actor.send(event);
    const { value, status, context } = actor.getSnapshot();
    visited.add(value);
    if (state && !timeMoved) expect(value).toEqual(state.value);
    expect(faults).toEqual([]);
    expect(context.record.steps.slice(0, before.steps.length)).toEqual(before.steps);
    // Back to "never sent" goes only what certainly never left.
    const isBack = value === 'queued' && context.record.sentInEpoch === 0 && !wasDelivered(context.record);
    if (!isBack) expect(context.record.sentInEpoch).toBeGreaterThanOrEqual(before.sentInEpoch);
    before = context.record;
    const isFinal = status === 'done';
    expect(isTerminal(context.record.state)).toBe(isFinal);
    expect(ended).toHaveLength(isFinal ? 1 : 0);
    expect(deadlines.pending(actor)).toHaveLength(isFinal ? 0 : 1);
    if (!isFinal) continue;
    const [end] = ended;
    expect(end).toBe(context.record);
    expect(end).toMatchObject({ state: value, outcome: { state: value }, finishedAt: clock.now() });
    expect(end?.steps.at(-1)?.to).toBe(value);
    if (value === 'expired')
      expect(end?.steps.some((step) => step.to === 'dispatched' || step.to === 'running')).toBe(false);
    if (!state) continue;
    for (const late of events) actor.send(late);
    expect(actor.getSnapshot().context.record).toBe(end);
    expect(ended).toHaveLength(1);
  }
  actor.stop();
}

beforeAll(() => {
  // A development build of XState says of each event that it came too late for an actor.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterAll(() => {
  vi.restoreAllMocks();
  const all = Object.keys(dispatchMachine.states).filter((state) => state !== 'resume' && state !== 'ending');
  expect([...visited].sort()).toEqual(all.sort());
  coverage.expectAll();
});
