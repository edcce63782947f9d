import { afterAll, describe, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { isRefusal } from '../../src/actors/device/devices.js';
import { sessionError } from '../../src/actors/errors.js';
import { FrameBatch } from '../../src/actors/link/batch.js';
import { type NodeFrame, protocolVersion } from '../../src/actors/link/frames.js';
import type { UplinkPorts } from '../../src/actors/uplink/behaviour.js';
import type { UplinkEvent } from '../../src/actors/uplink/events.js';
import { uplinkMachine } from '../../src/actors/uplink/machine.js';
import { jitteredBackoff } from '../../src/kernel/backoff.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { Coverage } from './coverage.js';
import { sampleOrder, silent, start } from './samples.js';

/*
 * Links are numbered without end, so states are told apart by their value, whether it is the first link or a later one, and
 * whether a second one is being opened.
 */

const registered = {
  protocol: protocolVersion,
  epoch: 1,
  surface: [],
  surfaceDigest: '',
  settings: [],
  name: 'lab',
};
const welcome = { ticket: Buffer.from('t'), heartbeatMs: 10_000, window: 8, settled: ['dp_9'] };
const refused = sessionError('revoked', 'Device LABNODE is revoked');
const passing = sessionError('stale_epoch', 'Register again');
const unknown = sessionError('unknown_certificate', 'The daemon did not issue this certificate');

interface Numbers {
  readonly generation: number;
  readonly links: number;
}

/** Everything that may come over the current link, over the one that takes over, over the one before, and from elsewhere. */
function eventsOf({ generation, links }: Numbers): UplinkEvent[] {
  const ofLink = (link: number): UplinkEvent[] => [
    { type: 'registered', link, registered },
    { type: 'frame', link, frame: { welcome, sentAtMs: start } },
    {
      type: 'frame',
      link,
      frame: {
        dispatches: [sampleOrder()],
        cancels: [{ dispatchId: 'x', reason: '' }],
        settled: ['y'],
        renew: { reason: 'the operator wants it' },
      },
    },
    { type: 'frame', link, frame: { goodbye: { kind: 'shutdown', reason: 'bye' } } },
    { type: 'ticket.stored', link },
    { type: 'ended', link, error: undefined },
    { type: 'ended', link, error: passing },
    { type: 'ended', link, error: refused },
    { type: 'ended', link, error: unknown },
  ];
  return [
    ...ofLink(generation),
    ...(links > generation ? ofLink(links) : []),
    ...ofLink(generation - 1),
    { type: 'certificate.changed' },
    { type: 'offer.changed' },
    { type: 'deadline' },
    { type: 'kernel.shutdown', reason: 'stop' },
  ];
}

function world(newest = 'newer than any link', hasEnded = false, hasOther = true) {
  const offer = { number: 0 };
  const clock = new SimulatedClock(start);
  const deadlines = new Deadlines(clock, silent);
  const trace: string[] = [];
  const frames: NodeFrame[] = [];
  let links = 0;
  const ports: UplinkPorts = {
    deadlines,
    clock,
    backoff: jitteredBackoff({ firstMs: 500, baseMs: 1_000, maxMs: 30_000, random: () => 0.5 }),
    random: () => 0.5,
    surface: ({ surface }) => trace.push(`surface ${surface.map(({ capability }) => capability).join()}`),
    connect: () => {
      const link = ++links;
      trace.push(`connect ${link}`);
      const batch = new FrameBatch<NodeFrame>(
        (frame, written) => {
          frames.push(frame);
          if (frame.goodbye?.handingOver) trace.push(`hand over ${link}`);
          written();
        },
        () => clock.now(),
      );
      return {
        batch,
        fingerprint: `certificate ${link}`,
        hello: (handedOver) => trace.push(`hello ${link}${handedOver ? ' handed over' : ''}`),
        close: () => trace.push(`close ${link}`),
      };
    },
    fingerprint: () => newest,
    offered: () => offer.number,
    hasEnded: () => hasEnded,
    hasOther: () => hasOther,
    isAboutCertificate: ({ code }) => code === unknown.code,
    needCertificate: () => trace.push('need a certificate'),
    isDaemonsWord: (error) => error.code.startsWith('session.'),
    doubtCertificate: () => trace.push('doubt the certificate'),
    storeTicket: () => trace.push('store'),
    attach: () => trace.push('attach'),
    detach: () => trace.push('detach'),
    receive: () => trace.push('receive'),
    cancel: () => trace.push('cancel'),
    settled: (ids) => trace.push(`settled ${ids.join()}`),
    inFlight: () => 0,
    renew: () => trace.push('renew'),
    isRefusal,
    refused: ({ code }) => trace.push(`refused ${code}`),
    status: ({ state }) => trace.push(`is ${state}`),
  };
  return { clock, deadlines, ports, trace, frames, offer };
}

const visited = new Set<string>();
const coverage = new Coverage(uplinkMachine);

it('obeys its rules on every shortest path and one event more', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const paths = getShortestPaths(uplinkMachine, {
    input: { ports: world().ports },
    events: (state) => eventsOf(state.context),
    serializeState: ({ value, context }) =>
      JSON.stringify([
        value,
        Math.min(2, context.generation),
        context.registered !== undefined,
        Math.min(2, context.attempt),
        context.next !== undefined,
      ]),
  });
  expect(paths.length).toBeGreaterThan(12);
  for (const path of paths) {
    const begin = path.steps.slice(1).map((step) => step.event);
    for (const last of eventsOf(path.state.context)) play([...begin, last]);
  }
  warn.mockRestore();
});

const namesOf = (trace: readonly string[], verb: string) =>
  trace.filter((entry) => entry.startsWith(`${verb} `)).map((entry) => entry.slice(verb.length + 1));

function play(path: readonly UplinkEvent[]): void {
  const { clock, deadlines, ports, trace, frames } = world();
  const actor = createActor(uplinkMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  let confirmed = 0;
  for (const event of path) {
    const before = actor.getSnapshot();
    const said = trace.length;
    if (event.type === 'deadline') clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
    else actor.send(event);
    const after = actor.getSnapshot();
    visited.add(after.value);
    const { generation, next } = before.context;
    if (before.value === 'confirming' && after.value === 'live') {
      expect(event).toMatchObject({ type: 'frame', link: generation });
      confirmed += 1;
    }
    // What an older link says is not heard.
    if ('link' in event && event.link !== generation && event.link !== next?.generation) {
      expect(after.value).toBe(before.value);
      expect(trace).toHaveLength(said);
      expect(after.context.registered).toBe(before.context.registered);
    }
    if (event.type === 'ended' && event.error === refused && event.link === generation) {
      if (['connecting', 'greeting', 'confirming', 'live'].includes(before.value)) {
        expect(after.value).toBe('resting');
      }
    }
    // One certificate that the daemon does not take leads to the other, and then to a new one.
    if (event.type === 'ended' && event.error === unknown && event.link === generation) {
      if (['connecting', 'greeting', 'confirming', 'live'].includes(before.value)) {
        expect(after.value).toBe(before.context.attempt > 1 ? 'expired' : 'backoff');
      }
    }
    // While the next link registers, the old one serves, and its end does not end the other.
    if (before.value === 'handing_over' && event.type === 'ended') {
      if (event.link === generation) expect(after.value).toBe('connecting');
      if (event.link === next?.generation) expect(after.value).toBe('live');
    }
    // What was asked for is stopped when the daemon has refused the node, and never otherwise.
    const refusals = trace.slice(said).filter((entry) => entry.startsWith('refused'));
    expect(refusals).toEqual(
      after.value === 'resting' && before.value !== 'resting' ? ['refused session.revoked'] : [],
    );
    if (event.type === 'deadline' && before.status === 'active')
      expect(trace.length + frames.length).toBeGreaterThan(said);
  }
  const { value, context } = actor.getSnapshot();
  expect(deadlines.pending(actor)).toHaveLength(value === 'stopped' ? 0 : 1);
  const open = [
    ...(['connecting', 'greeting', 'opening', 'confirming', 'live', 'handing_over'].includes(value)
      ? [context.generation]
      : []),
    ...(context.next === undefined ? [] : [context.next.generation]),
  ];
  expect(context.next !== undefined).toBe(value === 'handing_over');
  const opened = namesOf(trace, 'connect');
  const closed = namesOf(trace, 'close');
  expect(opened).toHaveLength(context.links);
  expect([...closed, ...open.map(String)].sort()).toEqual([...opened].sort());
  // Hello is said once on a link; where it takes over, the old stream has said so and ended before.
  const hellos = namesOf(trace, 'hello');
  expect(new Set(hellos).size).toBe(hellos.length);
  expect(namesOf(trace, 'hand over')).toHaveLength(hellos.filter((hello) => hello.endsWith('over')).length);
  for (const [at, entry] of trace.entries()) {
    if (!entry.startsWith('hello') || !entry.endsWith('handed over')) continue;
    expect(trace.slice(at - 3, at)).toEqual([
      'detach',
      expect.stringMatching(/^hand over/),
      expect.stringMatching(/^close/),
    ]);
  }
  // Ready goes out once per link, after its ticket was stored; work is taken only then.
  const attached = trace.filter((entry) => entry === 'attach').length;
  expect(frames.filter((frame) => frame.ready)).toHaveLength(attached);
  if (attached > 0) expect(trace.indexOf('store')).toBeLessThan(trace.indexOf('attach'));
  if (trace.includes('receive')) expect(trace.indexOf('attach')).toBeLessThan(trace.indexOf('receive'));
  // It is live once the daemon has answered Ready, and is told so once a link.
  const unconfirmed = value === 'confirming' ? 1 : 0;
  const lives = trace.filter((entry) => entry === 'is live').length;
  expect(lives).toBe(confirmed);
  if (value === 'live' || value === 'handing_over') expect(lives).toBe(attached);
  expect(lives).toBeLessThanOrEqual(attached - unconfirmed);
  if (['confirming', 'live', 'handing_over'].includes(value))
    expect(trace.lastIndexOf('attach')).toBeGreaterThan(trace.lastIndexOf('detach'));
  else if (attached > 0) expect(trace.lastIndexOf('detach')).toBeGreaterThan(trace.lastIndexOf('attach'));
  if (value === 'stopped') expect(trace.at(-1)).toBe('is stopped');
  actor.stop();
}

/** An uplink that is live on its first link. */
function live(newest?: string, hasOther?: boolean) {
  const parts = confirming(newest, hasOther);
  parts.actor.send({ type: 'frame', link: 1, frame: { heartbeatAck: true } });
  return parts;
}

function goLive(actor: { send(event: UplinkEvent): void }, link: number): void {
  sayReady(actor, link);
  actor.send({ type: 'frame', link, frame: { heartbeatAck: true } });
}

function sayReady(actor: { send(event: UplinkEvent): void }, link: number): void {
  actor.send({ type: 'registered', link, registered });
  actor.send({ type: 'frame', link, frame: { welcome, sentAtMs: start } });
  actor.send({ type: 'ticket.stored', link });
}

/** An uplink that has said Ready on its first link. */
function confirming(newest?: string, hasOther?: boolean) {
  const parts = world(newest, false, hasOther);
  const actor = createActor(uplinkMachine, { inspect: coverage.inspect, input: { ports: parts.ports } });
  actor.start();
  sayReady(actor, 1);
  return { ...parts, actor };
}

describe('a node that has said Ready', () => {
  it('is connected once the daemon has answered, and not before', () => {
    const { actor, trace, frames } = confirming();
    expect(frames.at(-1)?.ready).toBe(true);
    expect(trace).toContain('attach');
    expect(trace).not.toContain('is live');
    actor.send({ type: 'frame', link: 1, frame: { dispatches: [sampleOrder()], sentAtMs: start } });
    expect(trace.slice(-2)).toEqual(['is live', 'receive']);
    actor.stop();
  });

  it('is not connected by a goodbye', () => {
    const { actor, trace } = confirming();
    actor.send({ type: 'frame', link: 1, frame: { goodbye: { kind: 'shutdown', reason: 'bye' } } });
    actor.send({ type: 'ended', link: 1, error: undefined });
    expect(actor.getSnapshot().value).toBe('backoff');
    expect(trace).not.toContain('is live');
    actor.stop();
  });

  it('leaves a daemon that never answers as one that falls silent, after as long', () => {
    const unanswered = confirming();
    const silenced = live();
    for (const { clock, actor, trace } of [unanswered, silenced]) {
      clock.advance(30_000);
      expect(trace).not.toContain('is backoff');
      clock.advance(10_000);
      expect(trace).toContain('is backoff');
      actor.stop();
    }
    expect(unanswered.trace).not.toContain('is live');
    const beats = ({ frames }: typeof silenced) => frames.filter(({ heartbeat }) => heartbeat).length;
    expect(beats(unanswered)).toBe(beats(silenced));
  });
});

it('asks again within half a minute where it failed, and after an hour where it was refused', () => {
  const { clock, deadlines, ports, trace } = world();
  const actor = createActor(uplinkMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  for (let link = 1; link < 12; link++) {
    actor.send({ type: 'ended', link, error: undefined });
    const wait = deadlines.pending(actor)[0]?.inMs ?? 0;
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(30_000);
    clock.advance(wait);
    expect(actor.getSnapshot().value).toBe('connecting');
  }
  actor.send({ type: 'ended', link: 12, error: refused });
  clock.advance(3_599_999);
  expect(actor.getSnapshot().value).toBe('resting');
  clock.advance(1);
  expect(actor.getSnapshot().value).toBe('connecting');
  expect(trace.filter((entry) => entry.startsWith('connect '))).toHaveLength(13);
  actor.stop();
});

it('leaves a daemon that says nothing for three heartbeats, also while it hands over', () => {
  const { clock, actor, frames, trace } = live();
  for (let i = 0; i < 10; i++) {
    clock.advance(20_000);
    actor.send({ type: 'frame', link: 1, frame: { heartbeatAck: true } });
  }
  expect(actor.getSnapshot().value).toBe('live');
  expect(frames.filter((frame) => frame.heartbeat).length).toBeGreaterThan(15);
  actor.send({ type: 'certificate.changed' });
  expect(trace).not.toContain('is backoff');
  clock.advance(40_000);
  expect(trace).toContain('is backoff');
  actor.stop();
});

it('leaves a daemon that is silent as it hands over, before that would take too long', () => {
  const { clock, actor, trace } = live();
  clock.advance(20_000);
  actor.send({ type: 'certificate.changed' });
  clock.advance(19_000);
  expect(trace).toContain('is backoff');
  expect(trace).not.toContain('is hand-over failed');
  expect(namesOf(trace, 'close').toSorted()).toEqual(['1', '2']);
  actor.stop();
});

describe.each(['confirming', 'live', 'handing_over'] as const)(
  'a jump of the clock while it is %s',
  (state) => {
    function jumped() {
      const parts = state === 'confirming' ? confirming() : live();
      if (state === 'handing_over') parts.actor.send({ type: 'certificate.changed' });
      expect(parts.actor.getSnapshot().value).toBe(state);
      parts.clock.setWallTime(parts.clock.now() + 3_600_000);
      return parts;
    }

    it('makes it take no order that came with it, and connect anew', () => {
      const { actor, trace } = jumped();
      actor.send({ type: 'frame', link: 1, frame: { sentAtMs: start, dispatches: [sampleOrder()] } });
      expect(actor.getSnapshot().value).toBe('backoff');
      expect(trace).not.toContain('receive');
      expect(namesOf(trace, 'close').length).toBe(namesOf(trace, 'connect').length);
      actor.stop();
    });

    it('is noticed without any frame, at the next heartbeat', () => {
      const { actor, clock, trace } = jumped();
      clock.advance(10_000);
      expect(trace).toContain('is backoff');
      expect(trace.indexOf('is backoff')).toBeGreaterThan(trace.indexOf('close 1'));
      actor.stop();
    });
  },
);

it.each([confirming, live])(
  'needs another certificate when the only one that it has is not taken any more',
  (reach) => {
    const { actor, trace } = reach('certificate 1', false);
    actor.send({ type: 'ended', link: 1, error: unknown });
    expect(actor.getSnapshot().value).toBe('expired');
    expect(trace.slice(-2)).toEqual(['is expired', 'need a certificate']);
    actor.stop();
  },
);

describe('what the node offers', () => {
  it('is told on a second stream when it changes, and only then', () => {
    const { actor, offer, trace } = live();
    actor.send({ type: 'offer.changed' });
    expect(actor.getSnapshot().value).toBe('live');
    offer.number = 1;
    actor.send({ type: 'offer.changed' });
    expect(actor.getSnapshot().value).toBe('handing_over');
    goLive(actor, 2);
    actor.send({ type: 'offer.changed' });
    expect(actor.getSnapshot().value).toBe('live');
    expect(namesOf(trace, 'connect')).toEqual(['1', '2']);
    actor.stop();
  });

  it('is told at the next heartbeat when it changed meanwhile, or when the second stream failed', () => {
    const { actor, clock, offer, frames } = live();
    offer.number = 1;
    clock.advance(10_000);
    expect(actor.getSnapshot().value).toBe('handing_over');
    expect(frames.some((frame) => frame.heartbeat)).toBe(true);
    actor.send({ type: 'ended', link: 2, error: undefined });
    expect(actor.getSnapshot().value).toBe('live');
    clock.advance(10_000);
    expect(actor.getSnapshot().value).toBe('handing_over');
    offer.number = 2;
    goLive(actor, 3);
    clock.advance(10_000);
    expect(actor.getSnapshot()).toMatchObject({ value: 'handing_over', context: { offered: 1 } });
    actor.stop();
  });
});

it('serves on the old link until the daemon has accepted the registration of the new one', () => {
  const { actor, trace } = live();
  actor.send({ type: 'certificate.changed' });
  expect(actor.getSnapshot().value).toBe('handing_over');
  actor.send({ type: 'frame', link: 1, frame: { dispatches: [sampleOrder()], sentAtMs: start } });
  expect(trace).toContain('receive');
  goLive(actor, 2);
  expect(actor.getSnapshot().value).toBe('live');
  const from = trace.indexOf('hand over 1');
  expect(trace.slice(from)).toEqual([
    'hand over 1',
    'close 1',
    'hello 2 handed over',
    'store',
    'settled dp_9',
    'attach',
    'is live',
  ]);
  actor.stop();
});

it('goes on with the old link when the new certificate does not work, and tries it again when told to', () => {
  const { clock, deadlines, actor, trace } = live();
  actor.send({ type: 'certificate.changed' });
  actor.send({ type: 'ended', link: 2, error: refused });
  expect(actor.getSnapshot().value).toBe('live');
  actor.send({ type: 'certificate.changed' });
  // The daemon answers nothing, but the old link is alive.
  for (let passed = 0; passed < 25_000; ) {
    const wait = deadlines.pending(actor)[0]?.inMs ?? 0;
    clock.advance(wait);
    passed += wait;
    actor.send({ type: 'frame', link: 1, frame: { heartbeatAck: true } });
  }
  expect(actor.getSnapshot().value).toBe('live');
  expect(namesOf(trace, 'close')).toEqual(['2', '3']);
  expect(trace.filter((entry) => entry === 'is hand-over failed')).toHaveLength(2);
  actor.stop();
});

it('waits for a certificate when it has none in force, tells that it needs one, and comes at once when it has it', () => {
  const { clock, ports, trace } = world('a', true);
  const actor = createActor(uplinkMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  expect(actor.getSnapshot().value).toBe('expired');
  expect(trace).toEqual(['is expired', 'need a certificate']);
  actor.send({ type: 'certificate.changed' });
  expect(actor.getSnapshot().value).toBe('connecting');
  actor.send({ type: 'ended', link: 1, error: undefined });
  clock.advance(500);
  expect(actor.getSnapshot().value).toBe('expired');
  // The clock of this node may be wrong.
  clock.advance(3_600_000);
  expect(actor.getSnapshot().value).toBe('connecting');
  actor.stop();
});

it('doubts its certificate when TLS tells no reason for long, since that may be one', () => {
  const { clock, deadlines, ports, trace } = world();
  const actor = createActor(uplinkMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  for (let link = 1; link <= 6; link++) {
    actor.send({ type: 'ended', link, error: undefined });
    clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
  }
  expect(trace.filter((entry) => entry === 'doubt the certificate')).toHaveLength(2);
  actor.stop();
});

it('does not doubt its certificate when the daemon itself says why not', () => {
  const { clock, deadlines, ports, trace } = world();
  const actor = createActor(uplinkMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  const delays: number[] = [];
  for (let link = 1; link <= 9; link++) {
    actor.send({ type: 'ended', link, error: passing });
    const delay = deadlines.pending(actor)[0]?.inMs ?? 0;
    delays.push(delay);
    clock.advance(delay);
  }
  expect(trace).not.toContain('doubt the certificate');
  // It asks ever less often: nothing but the daemon's answer can change what comes of it.
  expect(delays).toEqual([...delays].sort((a, b) => a - b));
  expect(delays.at(-1)).toBeGreaterThan(10_000);
  actor.stop();
});

it('does not hand over to the certificate that it uses already', () => {
  const { actor } = live('certificate 1');
  actor.send({ type: 'certificate.changed' });
  expect(actor.getSnapshot().value).toBe('live');
  actor.stop();
});

afterAll(() => {
  const states = Object.keys(uplinkMachine.states).filter((state) => state !== 'resume');
  expect([...visited].sort()).toEqual(states.sort());
  coverage.expectAll();
});
