import { afterAll, describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { MediationEvent } from '../../src/actors/mediation/events.js';
import { type MediationPorts, mediationMachine } from '../../src/actors/mediation/machine.js';
import type { Verdict } from '../../src/actors/mediation/permission.js';
import type { Subject } from '../../src/actors/mediation/question.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { Coverage } from './coverage.js';
import { sampleSubject, silent, start } from './samples.js';

const limitMs = 5_000;
const until = start + 3_600_000;

const events: readonly MediationEvent[] = [
  { type: 'recalled', until: undefined },
  { type: 'recalled', until },
  { type: 'turn' },
  { type: 'allow', rememberMs: undefined },
  { type: 'allow', rememberMs: 60_000 },
  { type: 'allow', rememberMs: Number.NaN },
  { type: 'deny' },
  { type: 'nobody', reason: 'no terminal' },
  { type: 'kept', until },
  { type: 'kept', until: undefined },
  { type: 'withdraw' },
  { type: 'deadline' },
  { type: 'kernel.shutdown', reason: 'stop' },
];

function world() {
  const clock = new SimulatedClock(start);
  const deadlines = new Deadlines(clock, silent);
  const trace: string[] = [];
  const verdicts: (Verdict | 'withdrawn')[] = [];
  const kept: number[] = [];
  const ports: MediationPorts = {
    deadlines,
    recall: () => trace.push('recall'),
    standInLine: () => trace.push('line'),
    leaveLine: () => trace.push('leave'),
    waits: () => trace.push('waits'),
    show: () => trace.push('show'),
    takeBack: () => trace.push('take back'),
    keep: (forMs) => kept.push(forMs),
    decided: (verdict) => verdicts.push(verdict),
    withdrawn: () => verdicts.push('withdrawn'),
  };
  return { clock, deadlines, ports, trace, verdicts, kept };
}

const subjects: readonly (readonly [string, Subject])[] = [
  ['may be remembered', sampleSubject()],
  ['counts for this call only', sampleSubject({ remember: undefined })],
];
const visited = new Set<string>();
const coverage = new Coverage(mediationMachine);

describe.each(subjects)('a question whose answer %s', (_name, subject) => {
  it('obeys its rules on every shortest path and one event more', () => {
    const paths = getShortestPaths(mediationMachine, {
      input: { ports: world().ports, subject, limitMs },
      events,
      serializeState: ({ value, context }) =>
        JSON.stringify([value, context.hasTurn, context.allowed, context.rememberMs]),
    });
    expect(paths.length).toBeGreaterThan(8);
    for (const path of paths) {
      const steps = path.steps.slice(1).map(({ event }) => event);
      replay(subject, steps);
      if (path.state.status === 'active') for (const event of events) replay(subject, [...steps, event]);
    }
  });
});

function replay(subject: Subject, steps: readonly MediationEvent[]): void {
  const { clock, deadlines, ports, trace, verdicts, kept } = world();
  const input = { ports, subject, limitMs };
  const actor = createActor(mediationMachine, { inspect: coverage.inspect, input });
  actor.start();
  let saidYes = false;
  let isRemembered = false;
  for (const event of steps) {
    const before = actor.getSnapshot().value;
    if (event.type === 'deadline') clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
    else actor.send(event);
    saidYes ||= event.type === 'allow' && before === 'asking';
    isRemembered ||= event.type === 'recalled' && event.until !== undefined && before === 'recalling';
  }
  const { value, status } = actor.getSnapshot();
  visited.add(value);
  expect(verdicts).toHaveLength(status === 'done' ? 1 : 0);
  const [verdict] = verdicts;
  // There is no other way to a permission than a yes, and it is for this call and this build.
  if (verdict !== undefined && verdict !== 'withdrawn' && verdict.kind === 'allowed') {
    expect(saidYes || isRemembered).toBe(true);
    const { dispatchId, descriptorDigest, build } = subject;
    expect(verdict.permission).toMatchObject({ dispatchId, descriptorDigest, build });
    expect(verdict.permission.by).toBe(saidYes ? 'person' : 'remembered');
  }
  // Nothing else than what may be is remembered, and never for longer.
  for (const ms of kept) expect(ms).toBe(60_000);
  if (subject.remember === undefined) expect(kept).toEqual([]);
  // It is shown once at most, in its turn only, and is off the screen when it is over.
  const shown = trace.filter((entry) => entry === 'show').length;
  expect(shown).toBeLessThanOrEqual(1);
  expect(trace.filter((entry) => entry === 'take back')).toHaveLength(value === 'asking' ? 0 : shown);
  if (shown > 0) expect(trace.indexOf('show')).toBeGreaterThan(trace.indexOf('line'));
  if (status === 'done') expect(trace).toContain('leave');
  const isTimed = ['recalling', 'waiting', 'asking'].includes(value);
  expect(deadlines.pending(actor)).toHaveLength(isTimed ? 1 : 0);
  actor.stop();
}

afterAll(() => {
  expect([...visited].sort()).toEqual(Object.keys(mediationMachine.states).sort());
  coverage.expectAll();
});
