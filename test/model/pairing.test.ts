import { afterAll, describe, expect, it, vi } from 'vitest';
import { createActor, type SnapshotFrom } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { PairingIntent, PairingPorts } from '../../src/actors/pairing/behaviour.js';
import type { PairingEvent } from '../../src/actors/pairing/events.js';
import { pairingMachine } from '../../src/actors/pairing/machine.js';
import type { PairingRecord } from '../../src/actors/pairing/record.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import type { AppError } from '../../src/kernel/errors.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { turns } from '../../src/testing/process-life.js';
import { Coverage } from './coverage.js';
import { samplePairing, silent, start } from './samples.js';

/*
 * The commit is an invoked promise, so its end is an event of the search (`saved`, `not saved`), and on the real actor the
 * promise of the port. States are told apart by their value, the record's and the intent's state; alerts by their number,
 * up to two.
 */

type Answer = 'record' | string;

const approver = verifiedCaller({ kind: 'operator', name: 'ada', role: 'approver' });
const invoker = verifiedCaller({ kind: 'operator', name: 'bob', role: 'invoker' });
const policy = verifiedCaller({ kind: 'system', name: 'pairing.return' });
const device = verifiedCaller({ kind: 'device', deviceId: 'LABNODE', fingerprint: '' });
const other = verifiedCaller({ kind: 'device', deviceId: 'OTHER', fingerprint: '' });
const sample = samplePairing();
const { codeId, csr, csrDigest, surfaceDigest, facts, peerAddress, purpose, labels } = sample;
const proof = {
  codeId,
  transcript: 't1',
  csr,
  csrDigest,
  surfaceDigest,
  facts,
  peerAddress,
  purpose,
  labels,
};

const nobody = { resolve: () => undefined, reject: () => undefined };
const decision = { transcript: 't1', reason: 'ok', reply: nobody };
const asked: readonly PairingEvent[] = [
  { type: 'prove', caller: device, proof, reply: nobody },
  { type: 'prove', caller: device, proof: { ...proof, transcript: 't2', csrDigest: 'c2' }, reply: nobody },
  { type: 'prove', caller: other, proof, reply: nobody },
  { type: 'submit', caller: device, requested: [], proposedName: 'lab', reply: nobody },
  { type: 'submit', caller: other, requested: [], proposedName: 'lab', reply: nobody },
  { type: 'approve', caller: approver, name: 'lab', ...decision },
  { type: 'approve', caller: invoker, name: 'lab', ...decision },
  { type: 'approve', caller: device, name: 'lab', ...decision },
  { type: 'approve', caller: policy, name: 'lab', ...decision },
  { type: 'approve', caller: approver, name: 'lab', ...decision, transcript: 'older' },
  { type: 'reject', caller: approver, ...decision },
  { type: 'reject', caller: invoker, ...decision },
  { type: 'cancel', caller: approver, reason: 'a mistake', reply: nobody },
  { type: 'cancel', caller: invoker, reason: 'a mistake', reply: nobody },
  { type: 'cancel', caller: device, reason: 'a mistake', reply: nobody },
  { type: 'confirm', caller: device, reply: nobody },
  { type: 'confirm', caller: other, reply: nobody },
  { type: 'confirm', caller: approver, reply: nobody },
  { type: 'alert', message: 'another machine' },
  { type: 'expire' },
];
const saved = 'xstate.done.actor.0.pairing.saving';
const notSaved = 'xstate.error.actor.0.pairing.saving';

function world(isOfUse = true) {
  const clock = new SimulatedClock(start);
  const deadlines = new Deadlines(clock, silent);
  const commits: { readonly intent: PairingIntent; save(): void; fail(): void }[] = [];
  const shown: PairingRecord[] = [];
  const ports: PairingPorts = {
    deadlines,
    now: () => clock.now(),
    lifetime: () => 60_000,
    isOfUse: () => isOfUse,
    changed: (record) => shown.push(record),
    commit: (intent) =>
      new Promise((resolve, reject) =>
        commits.push({
          intent,
          save: () => resolve({ ...intent.next, version: intent.next.version + 1 }),
          fail: () => reject(new Error('disk')),
        }),
      ),
  };
  return { clock, deadlines, ports, commits, shown };
}

/** What may come: everything that is asked for, and the end of the commit while there is one. */
function eventsIn({ value, context }: SnapshotFrom<typeof pairingMachine>): PairingEvent[] {
  if (value !== 'saving') return [...asked];
  const { next } = context.intent ?? { next: context.record };
  const ends = [
    { type: saved, output: { ...next, version: next.version + 1 } },
    { type: notSaved, error: new Error('disk') },
  ];
  return [...asked, ...(ends as unknown as PairingEvent[])];
}

const visited = new Set<string>();
const coverage = new Coverage(pairingMachine);
const records = {
  'is new': samplePairing(),
  'waits for an operator': samplePairing({ state: 'pending_approval' }),
  'is approved': samplePairing({ state: 'approved' }),
  'was cancelled': samplePairing({ state: 'cancelled' }),
} as const;

describe.each(Object.entries(records))('a pairing that %s', (_name, record) => {
  it('obeys its rules on every shortest path and one event more', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const paths = getShortestPaths(pairingMachine, {
      input: { ports: world().ports, record },
      events: eventsIn,
      serializeState: ({ value, context }) =>
        JSON.stringify([
          value,
          context.record.state,
          context.record.transcript,
          Math.min(2, context.record.alerts.length),
          Math.min(2, context.postponed.length),
          context.intent?.kind,
          context.intent?.next.state,
          context.intent?.next.transcript,
        ]),
      stopWhen: (state) => state.context.record.alerts.length + state.context.postponed.length > 1,
    });
    for (const path of paths) {
      const steps: readonly Step[] = path.steps.slice(1);
      await replay(record, steps);
      // A shortest path holds no event that changes nothing, so what is refused comes after it.
      if (path.state.status !== 'active') continue;
      for (const event of eventsIn(path.state)) await replay(record, [...steps, { event }]);
    }
    warn.mockRestore();
  });
});

it('notes every alert that comes while something else is written, after it', async () => {
  const { ports, commits } = world();
  const actor = createActor(pairingMachine, {
    inspect: coverage.inspect,
    input: { ports, record: records['waits for an operator'] },
  });
  actor.start();
  actor.send({ type: 'approve', caller: approver, name: 'lab', ...decision });
  actor.send({ type: 'alert', message: 'first' });
  actor.send({ type: 'alert', message: 'second' });
  commits[0]?.save();
  await turns(1);
  commits[1]?.save();
  await turns(1);
  const { value, context } = actor.getSnapshot();
  expect([value, context.record.alerts, commits.length]).toEqual(['approved', ['first', 'second'], 2]);
  expect(commits[1]?.intent.cause).toEqual({ event: 'alert', by: 'the daemon', note: 'first; second' });
  actor.stop();
});

it('begins anew when its device proves itself and what was issued is of no use any more', async () => {
  const { ports, commits } = world(false);
  const record = samplePairing({ state: 'approved', certificate: 'PEM' });
  const actor = createActor(pairingMachine, { inspect: coverage.inspect, input: { ports, record } });
  actor.start();
  const answers: Answer[] = [];
  const reply = {
    resolve: () => answers.push('record'),
    reject: (error: AppError) => answers.push(error.code),
  };
  actor.send({ type: 'prove', caller: other, proof, reply });
  actor.send({ type: 'prove', caller: device, proof, reply });
  commits.at(-1)?.save();
  await turns(1);
  expect(answers).toEqual(['pairing.decided', 'record']);
  const { value, context } = actor.getSnapshot();
  expect([value, context.record.decision, context.record.certificate]).toEqual([
    'proving',
    undefined,
    undefined,
  ]);
  actor.stop();
});

describe('a device that comes back', () => {
  const record = samplePairing({ state: 'pending_approval', returning: { certificateExpiresAt: start } });

  /** An actor of that pairing; `tell` sends an event, writes what it intends and gives the answer. */
  function returning() {
    const { ports, commits } = world();
    const actor = createActor(pairingMachine, { inspect: coverage.inspect, input: { ports, record } });
    actor.start();
    const tell = async (event: PairingEvent): Promise<Answer> => {
      let answer: Answer = 'none';
      const reply = {
        resolve: () => {
          answer = 'record';
        },
        reject: (error: AppError) => {
          answer = error.code;
        },
      };
      actor.send({ ...event, ...('reply' in event ? { reply } : {}) } as PairingEvent);
      commits.at(-1)?.save();
      await turns(1);
      return answer;
    };
    return { actor, tell };
  }

  it('may be let in by the policy, and refused by operators alone', async () => {
    const { actor, tell } = returning();
    expect(await tell({ type: 'reject', caller: policy, ...decision })).toBe('pairing.forbidden');
    expect(await tell({ type: 'approve', caller: policy, name: 'lab', ...decision })).toBe('record');
    expect(actor.getSnapshot().context.record).toMatchObject({
      state: 'approved',
      decision: { by: 'system:pairing.return' },
    });
    actor.stop();
  });

  it('begins anew with another key, with nothing left of what was decided about the one before', async () => {
    const { actor, tell } = returning();
    await tell({ type: 'approve', caller: approver, name: 'lab', ...decision });
    const join = { ...proof, transcript: 't2', csrDigest: 'c2' };
    expect(await tell({ type: 'prove', caller: device, proof: join, reply: nobody })).toBe('pairing.decided');
    const again = { ...join, returning: {} };
    expect(await tell({ type: 'prove', caller: other, proof: again, reply: nobody })).toBe('pairing.decided');
    expect(await tell({ type: 'prove', caller: device, proof: again, reply: nobody })).toBe('record');
    const { record: anew } = actor.getSnapshot().context;
    expect(anew).toMatchObject({ state: 'proving', transcript: 't2', csrDigest: 'c2', returning: {} });
    expect([anew.decision, anew.certificate]).toEqual([undefined, undefined]);
    actor.stop();
  });

  it('may join with a code instead, and is then no matter of the policy any more', async () => {
    const { actor, tell } = returning();
    await tell({ type: 'prove', caller: device, proof, reply: nobody });
    await tell({ type: 'submit', caller: device, requested: [], proposedName: 'lab', reply: nobody });
    expect(actor.getSnapshot().context.record.returning).toBeUndefined();
    expect(await tell({ type: 'approve', caller: policy, name: 'lab', ...decision })).toBe(
      'pairing.forbidden',
    );
    actor.stop();
  });
});

/** An event, and the state that the search expects after it. */
interface Step {
  readonly event: PairingEvent;
  readonly state?: { readonly value: unknown };
}

async function replay(record: PairingRecord, steps: readonly Step[]): Promise<void> {
  const { clock, deadlines, ports, commits, shown } = world();
  const actor = createActor(pairingMachine, { inspect: coverage.inspect, input: { ports, record } });
  actor.start();
  visited.add(actor.getSnapshot().value);
  const answers: Answer[][] = [];
  for (const { event, state } of steps) {
    const before = actor.getSnapshot();
    const type: string = event.type;
    if (type === saved) commits.at(-1)?.save();
    else if (type === notSaved) commits.at(-1)?.fail();
    else if (type === 'expire' && before.value !== 'saving') {
      clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
    } else {
      const mine: Answer[] = [];
      if ('reply' in event) {
        answers.push(mine);
        const reply = {
          resolve: () => mine.push('record'),
          reject: (error: AppError) => mine.push(error.code),
        };
        actor.send({ ...event, reply });
      } else actor.send(event);
      expectAuthority(before.value, event, mine);
    }
    if (type === saved || type === notSaved) await turns(1);
    const after = actor.getSnapshot();
    visited.add(after.value);
    if (state) expect(after.value).toEqual(state.value);
    // What was not written is not visible.
    if (after.value === 'saving') {
      if (type !== saved) expect(after.context.record).toBe(before.context.record);
    } else expect(after.context.record.state).toBe(after.value);
  }
  const { value, status, context } = actor.getSnapshot();
  expect(deadlines.pending(actor)).toHaveLength(status === 'done' || value === 'saving' ? 0 : 1);
  for (const answer of answers) expect(answer.length).toBeLessThanOrEqual(1);
  // At most the one that is being saved has no answer yet.
  expect(answers.filter((answer) => answer.length === 0).length).toBeLessThanOrEqual(
    value === 'saving' ? 1 : 0,
  );
  const decisions = shown.filter((one, i) => one.decision && one.decision !== shown[i - 1]?.decision);
  expect(decisions.length).toBeLessThanOrEqual(1);
  expect(shown.map((one) => one.version)).toEqual(shown.map((_, i) => record.version + 1 + i));
  for (const { intent } of commits.filter((commit) => commit.intent.kind === 'approve')) {
    expect(intent.next).toMatchObject({ state: 'approved', decision: { by: 'operator:ada' } });
  }
  // A certificate is issued with the approval and with nothing else.
  for (const { intent } of commits) expect(intent.kind === 'approve').toBe(intent.cause.event === 'approve');
  if (shown.length > 0) expect(context.record).toBe(shown.at(-1));
  actor.stop();
}

/** Who may not do what it asks for is refused at once, with the reason. */
function expectAuthority(state: unknown, event: PairingEvent, answers: readonly Answer[]): void {
  if (!('caller' in event) || state === 'saving') return;
  if (event.type === 'approve' || event.type === 'reject') {
    if (state === 'proving') expect(answers).toEqual(['pairing.not_ready']);
    if (state === 'approved') expect(answers).toEqual(['pairing.decided']);
    if (state !== 'pending_approval') return;
    if (event.caller !== approver) expect(answers).toEqual(['pairing.forbidden']);
    return;
  }
  if (event.type === 'cancel') {
    if (state === 'approved') expect(answers).toEqual(['pairing.decided']);
    else if (event.caller !== approver) expect(answers).toEqual(['pairing.forbidden']);
    else expect(answers).toEqual([]);
    return;
  }
  if (event.caller === device) return;
  expect(answers).toHaveLength(1);
  expect(answers[0]).not.toBe('record');
}

afterAll(() => {
  const all = Object.keys(pairingMachine.states).filter((state) => state !== 'resume');
  expect([...visited].sort()).toEqual(all.sort());
  coverage.expectAll();
});
