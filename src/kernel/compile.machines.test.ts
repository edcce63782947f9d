import { describe, expect, it } from 'vitest';
import { type AnyActorLogic, type AnyStateMachine, createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { settleLimitMs } from '../actors/dispatch/behaviour.js';
import type { DispatchEvent } from '../actors/dispatch/events.js';
import { dispatchMachine } from '../actors/dispatch/machine.js';
import type { DispatchRecord } from '../actors/dispatch/record.js';
import { nodeError } from '../actors/errors.js';
import type { ExecutionEvent } from '../actors/execution/events.js';
import { executionMachine } from '../actors/execution/machine.js';
import { protocolVersion, type Registered } from '../actors/link/frames.js';
import type { MediationEvent } from '../actors/mediation/events.js';
import { mediationMachine } from '../actors/mediation/machine.js';
import { permission } from '../actors/mediation/permission.js';
import { type SessionEvent, sessionMachine } from '../actors/session/machine.js';
import type { UplinkEvent } from '../actors/uplink/events.js';
import { uplinkMachine } from '../actors/uplink/machine.js';
import { verifiedCaller } from './authority.js';
import { compile } from './compile.js';
import { Deadlines } from './deadlines.js';
import { SimulatedClock } from './simulated-clock.js';

/** One replay: what the machine asked of the outside, in order. */
interface World {
  readonly clock: SimulatedClock;
  readonly deadlines: Deadlines;
  readonly trace: string[];
}

interface Subject {
  readonly machine: AnyStateMachine;
  /** Each way in which an actor of it may begin. */
  readonly inputs: readonly ((world: World) => unknown)[];
  readonly events: readonly { readonly type: string }[];
  /** What tells the contexts of one state apart, as far as its guards read them. */
  readonly facets: (context: never) => readonly unknown[];
  /** The states that its shortest paths must reach, or the paths would prove little. */
  readonly states: readonly string[];
}

/** A port whose methods note that they were called and answer what is given here, or nothing. */
function port(trace: string[], name: string, answers: Readonly<Record<string, unknown>>): object {
  return new Proxy(answers, {
    get(target, key) {
      const method = String(key);
      const answer = target[method];
      if (typeof answer === 'object' && answer !== null) return answer;
      return (...given: unknown[]) => {
        const data = given.filter((one) => typeof one !== 'function' && !(one instanceof AbortSignal));
        trace.push(`${name}.${method} ${JSON.stringify(data)}`);
        return typeof answer === 'function' ? answer(...given) : answer;
      };
    },
  });
}

function begin(): World {
  const clock = new SimulatedClock();
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  return { clock, deadlines: new Deadlines(clock, log), trace: [] };
}

const record = (clock: SimulatedClock, changes: Partial<DispatchRecord>): DispatchRecord => ({
  id: 'd',
  version: 1,
  state: 'queued',
  deviceId: 'n',
  capability: 'echo',
  descriptorDigest: 'x',
  input: {},
  caller: 'operator:ada',
  labels: {},
  repeatable: true,
  timeoutMs: 1_000,
  mediationTimeoutMs: 1_000,
  createdAt: 0,
  updatedAt: 0,
  deliverBy: clock.now() + 1_000,
  latestEnd: clock.now() + 2_000,
  sentInEpoch: 0,
  steps: [],
  ...changes,
});

const dispatchInputs = [
  { fresh: true, changes: { sentInEpoch: 1 } },
  { fresh: false, changes: {} },
  { fresh: false, changes: { repeatable: false } },
  { fresh: false, changes: { repeatable: false, sentInEpoch: 1, state: 'running' } },
  { fresh: false, changes: { sentInEpoch: 1, state: 'awaiting_local_mediation' } },
  { fresh: false, changes: { sentInEpoch: 1, state: 'dispatched', latestEnd: -settleLimitMs } },
  { fresh: true, changes: { sentInEpoch: 1, deviceId: 'barred' } },
  { fresh: false, changes: { sentInEpoch: 1, deviceId: 'barred' } },
] as const;
const outcomes = ['succeeded', 'failed', 'rejected', 'timed_out', 'cancelled'] as const;

const caller = verifiedCaller({ kind: 'operator', name: 'ada', role: 'admin' });
const dispatchEvents: readonly (DispatchEvent | { type: 'other' })[] = [
  { type: 'settle', epoch: 2, phase: 'none', ticketMatches: true },
  { type: 'settle', epoch: 2, phase: 'none', ticketMatches: false },
  { type: 'settle', epoch: 2, phase: 'started', ticketMatches: true },
  { type: 'recorded' },
  { type: 'delivered', at: 5 },
  { type: 'session.lost' },
  { type: 'started' },
  { type: 'mediation', waiting: true },
  { type: 'mediation', waiting: false },
  ...outcomes.map((outcome) => ({
    type: 'result' as const,
    result: {
      dispatchId: 'd',
      outcome,
      reason: '',
      output: new Uint8Array(0),
      durationMs: 1,
      started: true,
    },
  })),
  { type: 'cancel', caller, reason: 'enough' },
  { type: 'cancel.outcome', outcome: 'not_known' },
  { type: 'cancel.outcome', outcome: 'stopping' },
  { type: 'device.barred' },
  { type: 'deadline' },
  { type: 'other' },
];

const shutdown = { type: 'kernel.shutdown', reason: 'stop' } as const;

const allowed = permission({ dispatchId: 'd', descriptorDigest: 'x', build: 'b', by: 'person' });
const executionEvents: readonly ExecutionEvent[] = [
  { type: 'waits' },
  { type: 'allowed', permission: allowed },
  { type: 'allowed', permission: permission({ ...allowed, dispatchId: 'other' }) },
  { type: 'denied' },
  { type: 'nobody', reason: 'no' },
  { type: 'unanswered' },
  { type: 'journaled' },
  { type: 'succeeded', output: new Uint8Array(0) },
  { type: 'failed', error: nodeError('deadline', 'late') },
  { type: 'cancel', reason: 'enough' },
  { type: 'deadline' },
  shutdown,
];

const mediationEvents: readonly MediationEvent[] = [
  { type: 'recalled', until: undefined },
  { type: 'recalled', until: 1e15 },
  { type: 'turn' },
  { type: 'allow', rememberMs: undefined },
  { type: 'allow', rememberMs: 500 },
  { type: 'deny' },
  { type: 'nobody', reason: 'no' },
  { type: 'kept', until: 1e15 },
  { type: 'kept', until: undefined },
  { type: 'withdraw' },
  { type: 'deadline' },
  shutdown,
];

const sessionEvents: readonly SessionEvent[] = [
  { type: 'frame', frame: {} },
  { type: 'frame', frame: { ready: true } },
  { type: 'frame', frame: { goodbye: { reason: 'bye', handingOver: false } } },
  { type: 'withdraw', dispatchId: 'd' },
  { type: 'settled', dispatchId: 'd' },
  { type: 'ping', number: 1 },
  { type: 'frame', frame: { pong: 1 } },
  { type: 'end', kind: 'shutdown', reason: 'over' },
  { type: 'link.ended', epoch: 1, reason: 'gone' },
  { type: 'link.ended', epoch: 2, reason: 'gone' },
  { type: 'silence' },
  shutdown,
];

const registered: Registered = {
  protocol: protocolVersion,
  epoch: 1,
  surface: [],
  surfaceDigest: '',
  settings: [],
  name: 'n',
};

const uplinkEvents: readonly UplinkEvent[] = [
  ...[1, 2].flatMap((link): UplinkEvent[] => [
    { type: 'ended', link, error: undefined },
    { type: 'ended', link, error: nodeError('deadline', 'refused') },
    { type: 'registered', link, registered },
    { type: 'ticket.stored', link },
    { type: 'frame', link, frame: {} },
    {
      type: 'frame',
      link,
      frame: { welcome: { heartbeatMs: 1_000, window: 4, ticket: new Uint8Array(0), settled: [] } },
    },
    { type: 'frame', link, frame: { goodbye: { kind: 'shutdown', reason: 'bye' } } },
  ]),
  { type: 'certificate.changed' },
  { type: 'deadline' },
  shutdown,
];

const subjects: Readonly<Record<string, Subject>> = {
  dispatch: {
    machine: dispatchMachine,
    inputs: dispatchInputs.map(({ fresh, changes }) => ({ clock, deadlines, trace }) => ({
      fresh,
      record: record(clock, changes),
      ports: port(trace, 'ports', {
        clock,
        deadlines,
        offer: true,
        // The device of what was delivered in this life is barred, and that of a record which asks for it from the start.
        barOf: ({ deliveredAt, deviceId }: DispatchRecord) =>
          deliveredAt !== undefined || deviceId === 'barred'
            ? { state: 'revoked', by: 'operator:eve' }
            : undefined,
        judge: (_: unknown, result: { outcome: string }) => ({ state: result.outcome }),
      }),
    })),
    events: dispatchEvents,
    facets: ({
      record: { cancelRequestedBy, repeatable, sentInEpoch },
      outcome,
    }: {
      record: DispatchRecord;
      outcome?: { state: string };
    }) => [cancelRequestedBy, repeatable, sentInEpoch, outcome?.state],
    states: [
      ...['queued', 'marking', 'offered', 'dispatched', 'awaiting_local_mediation', 'running'],
      ...['succeeded', 'failed', 'rejected', 'timed_out', 'cancelled', 'expired', 'outcome_unknown'],
    ],
  },
  execution: {
    machine: executionMachine,
    inputs: [
      { needs: false, repeatable: true, latestEndMs: 1e15, refusal: undefined },
      { needs: true, repeatable: true, latestEndMs: 1e15, refusal: undefined },
      { needs: true, repeatable: false, latestEndMs: 1e15, refusal: undefined },
      { needs: false, repeatable: false, latestEndMs: 1e15, refusal: undefined },
      { needs: false, repeatable: true, latestEndMs: 0, refusal: undefined },
      {
        needs: false,
        repeatable: true,
        latestEndMs: 1e15,
        refusal: { reason: 'node_policy', error: nodeError('deadline', 'no') },
      },
    ].map(({ needs, repeatable, latestEndMs, refusal }) => ({ clock, deadlines, trace }) => ({
      age: 5,
      order: {
        dispatchId: 'd',
        descriptorDigest: 'x',
        repeatable,
        latestEndMs,
        timeoutMs: 1_000,
        mediationTimeoutMs: 500,
      },
      ports: port(trace, 'ports', {
        clock,
        deadlines,
        daemonNow: () => clock.now(),
        needsMediation: needs,
        refusal: () => refusal,
        run: () => new Promise(() => undefined),
      }),
    })),
    events: executionEvents,
    facets: ({ ending, runStarted }: { ending?: { outcome: string }; runStarted?: number }) => [
      ending?.outcome,
      runStarted !== undefined,
    ],
    states: ['mediating', 'starting', 'running', 'stopping', 'finished'],
  },
  mediation: {
    machine: mediationMachine,
    inputs: [undefined, { by: 'value', value: '1', mostMs: 1_000 }].map(
      (remember) =>
        ({ deadlines, trace }) => ({
          subject: { dispatchId: 'd', descriptorDigest: 'x', build: 'b', remember },
          limitMs: 500,
          ports: port(trace, 'ports', { deadlines }),
        }),
    ),
    events: mediationEvents,
    facets: ({
      hasTurn,
      allowed,
      rememberMs,
    }: {
      hasTurn: boolean;
      allowed?: object;
      rememberMs: number;
    }) => [hasTurn, allowed, rememberMs],
    states: [
      ...['recalling', 'waiting', 'asking', 'keeping'],
      ...['allowed', 'denied', 'nobody', 'unanswered', 'withdrawn'],
    ],
  },
  session: {
    machine: sessionMachine,
    inputs: [1e15, 0].map((certificateEnds) => ({ clock, deadlines, trace }) => ({
      certificateEnds,
      ticketMatches: true,
      hello: { inFlight: [{ dispatchId: 'x', phase: 'started' }] },
      session: { epoch: 1, heartbeatMs: 1_000, seenAt: 0, seenMonotonic: 0 },
      link: { batch: port(trace, 'batch', {}), end: () => trace.push('link.end') },
      outbound: port(trace, 'outbound', { unfinished: () => ['d'] }),
      ports: port(trace, 'ports', {
        clock,
        deadlines,
        directory: port(trace, 'directory', { send: true }),
        unfinished: () => ['d'],
        owns: true,
      }),
    })),
    events: sessionEvents,
    facets: () => [],
    states: ['opening', 'live', 'closed'],
  },
  uplink: {
    machine: uplinkMachine,
    inputs: [
      ({ clock, deadlines, trace }) => ({
        ports: port(trace, 'ports', {
          clock,
          deadlines,
          backoff: port(trace, 'backoff', { next: 200 }),
          random: 0.5,
          connect: () => ({
            batch: port(trace, 'batch', {}),
            fingerprint: 'old',
            hello: (handedOver: boolean) => trace.push(`link.hello ${handedOver}`),
            close: () => trace.push('link.close'),
          }),
          fingerprint: 'new',
          hasEnded: false,
          hasOther: true,
          isAboutCertificate: false,
          inFlight: 3,
          isRefusal: true,
        }),
      }),
    ],
    events: uplinkEvents,
    facets: ({
      generation,
      links,
      registered,
    }: {
      generation: number;
      links: number;
      registered?: object;
    }) => [Math.min(generation, 2), Math.min(links, 2), registered !== undefined],
    states: [
      ...['connecting', 'greeting', 'opening', 'live', 'handing_over'],
      ...['backoff', 'resting', 'stopped'],
    ],
  },
};

/** A context without what only holds it to the world of its replay. */
function plain(context: object): unknown {
  const outside = new Set(['ports', 'link', 'next', 'outbound', 'abort', 'daemonClock']);
  return JSON.parse(
    JSON.stringify(Object.fromEntries(Object.entries(context).filter(([key]) => !outside.has(key)))),
  );
}

function replay(
  logic: AnyActorLogic,
  inputOf: (world: World) => unknown,
  events: readonly { readonly type: string }[],
): unknown {
  const world = begin();
  const actor = createActor(logic, { input: inputOf(world), clock: world.clock });
  actor.subscribe({ error: () => undefined });
  actor.start();
  const seen = [null, ...events].map((event) => {
    if (event) actor.send(event);
    const { status, value, context, error } = actor.getSnapshot();
    const pending = world.deadlines.pending(actor);
    return {
      status,
      value,
      context: plain(context),
      error: String(error),
      pending,
      asked: world.trace.length,
    };
  });
  return { seen, trace: world.trace };
}

describe.each(Object.entries(subjects))('the compiled %s machine', (_, subject) => {
  const { machine, inputs, events, facets, states } = subject;

  it('does what XState does on every shortest path', () => {
    const reached = new Set<string>();
    let steps = 0;
    for (const inputOf of inputs) {
      const paths = getShortestPaths(machine, {
        input: inputOf(begin()),
        events: [...events],
        stopWhen: ({ status }) => status !== 'active',
        serializeState: ({ value, context }) => JSON.stringify([value, facets(context as never)]),
        limit: 20_000,
      });
      const logic = compile(machine);
      for (const { state, steps: path } of paths) {
        reached.add(String(state.value));
        // The first step of a path is XState's own start, and an ended actor is sent nothing more.
        const given = path.map(({ event }) => event).filter(({ type }) => type !== 'xstate.init');
        // Then each event there is, so that every transition of every state is taken or dropped.
        const ends = state.status === 'active' ? events.map((event) => [...given, event]) : [given];
        for (const sequence of ends) {
          const compiled = replay(logic, inputOf, sequence);
          expect(compiled).toEqual(replay(machine, inputOf, sequence));
          steps += sequence.length;
        }
      }
    }
    expect([...reached]).toEqual(expect.arrayContaining([...states]));
    expect(steps).toBeGreaterThan(events.length);
  });
});
