import { afterAll, describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { FanoutPorts } from '../../src/actors/fanout/behaviour.js';
import type { FanoutEvent } from '../../src/actors/fanout/events.js';
import { fanoutMachine } from '../../src/actors/fanout/machine.js';
import { isOpen, isUnderWay } from '../../src/actors/fanout/members.js';
import { type FanoutMember, type FanoutRecord, isFanoutOver } from '../../src/actors/fanout/record.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { Coverage } from './coverage.js';
import { sampleFanoutRecord, fanoutTargets as targets } from './fanout-sample.js';
import { start } from './samples.js';

const ada = verifiedCaller({ kind: 'operator', name: 'ada', role: 'invoker' });
const eve = verifiedCaller({ kind: 'operator', name: 'eve', role: 'viewer' });
const members = (...states: FanoutMember['state'][]): readonly FanoutMember[] =>
  targets.map((id, at) => ({
    deviceId: id,
    name: id,
    state: states[at] ?? 'waiting',
    revision: 1,
    ...(states[at] === 'started' ? { dispatchId: `dp_${id}` } : {}),
  }));

const events: readonly FanoutEvent[] = [
  ...targets.flatMap((deviceId): FanoutEvent[] => [
    { type: 'started', deviceId, dispatchId: `dp_${deviceId}` },
    { type: 'ended', deviceId, end: { state: 'succeeded' } },
    { type: 'ended', deviceId, end: { state: 'failed' } },
  ]),
  { type: 'ended', deviceId: 'A', end: { state: 'skipped' } },
  { type: 'recalled', members: new Map() },
  {
    type: 'recalled',
    members: new Map([
      ['A', { state: 'failed' }],
      ['B', { state: 'waiting' }],
    ]),
  },
  { type: 'cancel', caller: ada, reason: 'enough' },
  { type: 'cancel', caller: eve, reason: 'not mine' },
];

/** Runs a fan-out through events and notes whatever must never happen. */
function run(input: { record: FanoutRecord; fresh: boolean }, sequence: readonly FanoutEvent[]) {
  const faults: string[] = [];
  const begun = new Map<string, number>();
  const cancelled = new Set<string>();
  const ended: FanoutRecord[] = [];
  let revision = 0;
  const seen = (record: FanoutRecord): void => {
    if (record.revision < revision) faults.push('its revision went back');
    revision = record.revision;
    if (input.fresh && record.members.filter(isUnderWay).length > record.batch)
      faults.push('more are under way than may be');
  };
  const ports: FanoutPorts = {
    clock: { now: () => start },
    start: (record, { deviceId }) => {
      begun.set(deviceId, (begun.get(deviceId) ?? 0) + 1);
      if (record.state !== 'running') faults.push(`started a target while it was ${record.state}`);
      seen(record);
    },
    cancel: (record, { dispatchId = '' }) => {
      if (dispatchId === '') faults.push('cancelled what has no dispatch');
      if (cancelled.has(dispatchId)) faults.push('cancelled twice');
      if (record.state !== 'cancelling') faults.push('cancelled unasked');
      cancelled.add(dispatchId);
    },
    recall: seen,
    changed: (record) => {
      seen(record);
      if (isFanoutOver(record.state)) faults.push('was changed after its end');
    },
    ended: (record) => {
      if (record.members.some(isOpen)) faults.push('ended before its targets');
      ended.push(record);
    },
  };
  const actor = createActor(fanoutMachine, { input: { ...input, ports }, inspect: coverage.inspect }).start();
  for (const event of sequence) actor.send(event);
  const { context, status } = actor.getSnapshot();
  if (input.fresh && [...begun.values()].some((times) => times > 1)) faults.push('started a target twice');
  if (status === 'done' && ended.length !== 1) faults.push('did not tell its end once');
  actor.stop();
  return { faults, record: context.record, begun, cancelled, status };
}

const coverage = new Coverage(fanoutMachine);
afterAll(() => coverage.expectAll());

const beginnings = {
  fresh: { record: sampleFanoutRecord(), fresh: true },
  'fresh, one at a time and never stopped': {
    record: { ...sampleFanoutRecord({ batch: 1 }), stopAfterFailures: 9 },
    fresh: true,
  },
  'back after a crash': {
    record: sampleFanoutRecord({ members: members('started', 'starting') }),
    fresh: false,
  },
  'back while it stops': {
    record: sampleFanoutRecord({ state: 'stopping', members: members('failed', 'started', 'not_started') }),
    fresh: false,
  },
  'back while it is cancelled': {
    record: sampleFanoutRecord({ state: 'cancelling', members: members('started', 'starting', 'waiting') }),
    fresh: false,
  },
} as const;

describe.each(Object.entries(beginnings))('a fan-out that is %s', (_name, beginning) => {
  it('obeys its rules on every shortest path and one event beyond', () => {
    const quiet: FanoutPorts = {
      clock: { now: () => start },
      start: () => {},
      cancel: () => {},
      recall: () => {},
      changed: () => {},
      ended: () => {},
    };
    const paths = getShortestPaths(fanoutMachine, {
      input: { ...beginning, ports: quiet },
      events,
      serializeState: ({ value, context: { record } }) =>
        JSON.stringify([value, record.state, record.members.map(({ state }) => state)]),
    });
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths) {
      const sequence = path.steps.slice(1).map(({ event }) => event);
      const reached = run(beginning, sequence);
      expect(reached.faults, JSON.stringify(sequence)).toEqual([]);
      if (reached.status === 'done') {
        expect(isFanoutOver(reached.record.state)).toBe(true);
        continue;
      }
      for (const event of events) expect(run(beginning, [...sequence, event]).faults).toEqual([]);
    }
  });
});

it('starts the first of the order, the next when one has ended, and ends by what became of all', () => {
  const input = { record: sampleFanoutRecord({ stopAfterFailures: 2 }), fresh: true };
  expect([...run(input, []).begun.keys()]).toEqual(['A', 'B']);
  const failed: FanoutEvent = { type: 'ended', deviceId: 'B', end: { state: 'failed' } };
  const succeeded = (deviceId: string): FanoutEvent => ({
    type: 'ended',
    deviceId,
    end: { state: 'succeeded' },
  });
  expect([...run(input, [failed]).begun.keys()]).toEqual(['A', 'B', 'C']);
  expect(run(input, [failed, succeeded('A'), succeeded('C')]).record.state).toBe('partly_failed');
  const all = ['A', 'B', 'C'].map(succeeded);
  expect(run(input, all).record.state).toBe('succeeded');
});

it('starts no more after too many failures, lets those under way end, and reports the rest as not started', () => {
  const failed: FanoutEvent = { type: 'ended', deviceId: 'A', end: { state: 'failed' } };
  const input = { record: sampleFanoutRecord(), fresh: true };
  const stopping = run(input, [{ type: 'started', deviceId: 'B', dispatchId: 'dp_B' }, failed]);
  expect(stopping.record.state).toBe('stopping');
  expect(stopping.record.members.map(({ state }) => state)).toEqual(['failed', 'started', 'not_started']);
  expect(stopping.cancelled.size).toBe(0);
  const over = run(input, [failed, { type: 'ended', deviceId: 'B', end: { state: 'succeeded' } }]);
  expect(over.record.state).toBe('stopped');
});

it('cancels also the target whose dispatch was just being made', () => {
  const sequence: readonly FanoutEvent[] = [
    { type: 'started', deviceId: 'A', dispatchId: 'dp_A' },
    { type: 'cancel', caller: ada, reason: 'enough' },
    { type: 'started', deviceId: 'B', dispatchId: 'dp_B' },
  ];
  const { cancelled, record } = run({ record: sampleFanoutRecord(), fresh: true }, sequence);
  expect([...cancelled]).toEqual(['dp_A', 'dp_B']);
  expect(record).toMatchObject({ state: 'cancelling', cancelRequestedBy: 'operator:ada' });
});

it('heeds nobody who may not invoke', () => {
  const sequence: readonly FanoutEvent[] = [{ type: 'cancel', caller: eve, reason: '' }];
  expect(run({ record: sampleFanoutRecord(), fresh: true }, sequence).record.state).toBe('running');
});
