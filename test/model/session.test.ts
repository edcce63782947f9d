import { afterAll, describe, expect, it, vi } from 'vitest';
import { createActor, fromCallback } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { dispatchAddress } from '../../src/actors/addresses.js';
import type { DispatchEvent } from '../../src/actors/dispatch/events.js';
import { FrameBatch } from '../../src/actors/link/batch.js';
import type { DaemonFrame } from '../../src/actors/link/frames.js';
import { type SessionEvent, type SessionInput, sessionMachine } from '../../src/actors/session/machine.js';
import { Outbound } from '../../src/actors/session/outbound.js';
import { createKernel } from '../../src/kernel/kernel.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { Coverage } from './coverage.js';
import { sampleOrder, sampleResult, silent, start } from './samples.js';

// The states are three and what else there is lies outside of the machine, so paths are all sequences of two events more.

const events: readonly SessionEvent[] = [
  { type: 'frame', frame: {} },
  { type: 'frame', frame: { ready: true } },
  { type: 'frame', frame: { results: [sampleResult(), sampleResult({ dispatchId: 'dp_foreign' })] } },
  { type: 'frame', frame: { started: ['dp_1', 'dp_foreign'] } },
  { type: 'frame', frame: { cancelOutcomes: [{ dispatchId: 'dp_gone', outcome: 'not_known' }] } },
  { type: 'frame', frame: { goodbye: { reason: 'bye', handingOver: false }, results: [sampleResult()] } },
  { type: 'frame', frame: { heartbeat: { inFlight: 0 } } },
  { type: 'offer', order: sampleOrder() },
  { type: 'withdraw', dispatchId: 'dp_1' },
  { type: 'stop', order: { dispatchId: 'dp_1', reason: 'enough' } },
  { type: 'settled', dispatchId: 'dp_1' },
  { type: 'renew', reason: 'the operator wants it' },
  { type: 'ping', number: 7 },
  { type: 'surface', surface: { surface: [], surfaceDigest: '', settings: [] } },
  { type: 'frame', frame: { pong: 7 } },
  { type: 'end', kind: 'replaced', reason: 'newer' },
  { type: 'link.ended', epoch: 4, reason: 'old' },
  { type: 'link.ended', epoch: 5, reason: 'gone' },
  { type: 'silence' },
  { type: 'kernel.shutdown', reason: 'stop' },
];

function world(certificateEnds = start + 86_400_000) {
  const clock = new SimulatedClock(start);
  const kernel = createKernel({ clock, log: silent });
  const { directory, deadlines } = kernel;
  const frames: DaemonFrame[] = [];
  const trace: string[] = [];
  const told: { readonly id: string; readonly event: DispatchEvent }[] = [];
  for (const id of ['dp_1', 'dp_2', 'dp_3', 'dp_foreign']) {
    const dispatch = createActor(
      fromCallback(({ receive }) => receive((event) => told.push({ id, event: event as DispatchEvent }))),
    );
    directory.register(dispatchAddress(id), dispatch);
    dispatch.start();
  }
  const batch = new FrameBatch<DaemonFrame>(
    (frame, written) => {
      frames.push(frame);
      written();
    },
    () => clock.now(),
  );
  const input: SessionInput = {
    ports: {
      directory,
      deadlines,
      clock,
      unfinished: () => ['dp_1', 'dp_2', 'dp_3'],
      capabilityOf: () => 'echo',
      owns: (id) => ['dp_1', 'dp_2', 'dp_3'].includes(id),
      live: () => trace.push('live'),
      pong: (number) => trace.push(`pong ${number}`),
      progress: ({ dispatchId, sequence }) => trace.push(`progress ${dispatchId} ${sequence}`),
      late: ({ dispatchId }) => trace.push(`late ${dispatchId}`),
      ended: () => trace.push('ended'),
    },
    link: { batch, end: () => trace.push('link ended') },
    outbound: new Outbound({ window: 8, bytes: 1_000_000, concurrencyOf: () => 8 }, (order) => {
      trace.push(`sent ${order.dispatchId}`);
      batch.push('dispatches', order);
    }),
    session: {
      deviceId: 'LABNODE',
      fingerprint: 'f',
      epoch: 5,
      instance: '',
      heartbeatMs: 10_000,
      since: start,
      seenAt: start,
      seenMonotonic: 0,
    },
    hello: {
      epoch: 5,
      surfaceDigest: '',
      ticket: new Uint8Array(0),
      instance: new Uint8Array(0),
      handedOver: false,
      inFlight: [
        { dispatchId: 'dp_1', phase: 'started' },
        { dispatchId: 'dp_2', phase: 'finished' },
        { dispatchId: 'dp_gone', phase: 'cancelled' },
        { dispatchId: 'dp_dead', phase: 'started' },
      ],
    },
    ticketMatches: true,
    certificateEnds,
  };
  const actor = createActor(sessionMachine, { inspect: coverage.inspect, input });
  return { clock, deadlines, frames, trace, told, actor, input };
}

const visited = new Set<string>();
const coverage = new Coverage(sessionMachine);

function play(path: readonly SessionEvent[]) {
  const made = world();
  const { actor, deadlines, trace, told, frames } = made;
  actor.start();
  for (const event of path) {
    actor.send(event);
    visited.add(actor.getSnapshot().value);
  }
  const { value, status } = actor.getSnapshot();
  const isClosed = value === 'closed';
  expect(status === 'done').toBe(isClosed);
  expect(deadlines.pending(actor)).toHaveLength(isClosed ? 0 : 1);
  for (const once of ['ended', 'link ended']) {
    expect(trace.filter((entry) => entry === once)).toHaveLength(isClosed ? 1 : 0);
  }
  // Nothing is said to or about a dispatch before the node has stored its ticket, nothing of another device ever.
  if (!trace.includes('live')) expect([told, frames.filter((frame) => !frame.goodbye)]).toEqual([[], []]);
  expect(told.filter(({ id }) => id === 'dp_foreign')).toEqual([]);
  if (trace.includes('live')) {
    expect(told.slice(0, 3).map(({ id, event }) => [id, event.type === 'settle' && event.phase])).toEqual([
      ['dp_1', 'started'],
      ['dp_2', 'finished'],
      ['dp_3', 'none'],
    ]);
    expect(frames.flatMap((frame) => frame.cancels ?? [])[0]?.dispatchId).toBe('dp_dead');
    expect(frames.flatMap((frame) => frame.settled ?? [])[0]).toBe('dp_gone');
  }
  actor.stop();
  return made;
}

describe('a session', () => {
  it('obeys its rules on every shortest path and two events more', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const paths = getShortestPaths(sessionMachine, {
      input: world().input,
      events,
      serializeState: ({ value }) => String(value),
    });
    expect(paths).toHaveLength(3);
    for (const path of paths) {
      const begin = path.steps.slice(1).map((step) => step.event);
      for (const first of events) for (const second of events) play([...begin, first, second]);
    }
    warn.mockRestore();
  });

  const ready: SessionEvent = { type: 'frame', frame: { ready: true } };

  it('answers Ready at once, when it counts', () => {
    const { actor, frames, trace } = world();
    actor.start();
    expect(frames).toEqual([]);
    actor.send(ready);
    expect(trace).toContain('live');
    expect(frames[0]?.heartbeatAck).toBe(true);
    actor.stop();
  });

  it('tells each dispatch that it carried when it is lost', () => {
    const { told } = play([ready, { type: 'link.ended', epoch: 5, reason: 'gone' }]);
    expect(told.slice(3)).toEqual([{ id: 'dp_1', event: { type: 'session.lost' } }]);
  });

  it('takes the last words of a node that says goodbye', () => {
    const { told } = play([
      ready,
      { type: 'frame', frame: { goodbye: { reason: '', handingOver: false }, results: [sampleResult()] } },
    ]);
    expect(told[3]).toMatchObject({ id: 'dp_1', event: { type: 'result' } });
  });

  it('leaves what a node says of another device’s dispatch to be looked at as late', () => {
    const { trace, told } = play([
      ready,
      { type: 'frame', frame: { results: [sampleResult({ dispatchId: 'dp_foreign' })] } },
    ]);
    expect(trace).toContain('late dp_foreign');
    expect(told).toHaveLength(3);
  });

  it('asks whether the node is there, and hands its answer on', () => {
    const { trace, frames } = play([
      ready,
      { type: 'ping', number: 7 },
      { type: 'frame', frame: { pong: 7 } },
    ]);
    expect(frames.at(-1)?.ping).toBe(7);
    expect(trace).toContain('pong 7');
  });

  it('waits ten seconds for Ready', () => {
    const { clock, actor } = world();
    actor.start();
    clock.advance(9_999);
    expect(actor.getSnapshot().value).toBe('opening');
    clock.advance(1);
    expect(actor.getSnapshot().value).toBe('closed');
  });

  it('ends after four missed heartbeats and not while it hears the node', () => {
    const { clock, actor } = world();
    actor.start();
    actor.send(ready);
    for (let i = 0; i < 20; i++) {
      clock.advance(39_000);
      actor.send({ type: 'frame', frame: { heartbeat: { inFlight: 0 } } });
    }
    expect(actor.getSnapshot().value).toBe('live');
    clock.advance(40_000);
    expect(actor.getSnapshot().value).toBe('closed');
  });

  it('ends with its certificate and says so', () => {
    const { clock, actor, frames } = world(start + 15_000);
    actor.start();
    actor.send(ready);
    clock.advance(14_999);
    expect(actor.getSnapshot().value).toBe('live');
    clock.advance(1);
    expect(actor.getSnapshot().value).toBe('closed');
    expect(frames.at(-1)?.goodbye?.kind).toBe('certificate_expired');
  });
});

afterAll(() => {
  expect([...visited].sort()).toEqual(Object.keys(sessionMachine.states).sort());
  coverage.expectAll();
});
