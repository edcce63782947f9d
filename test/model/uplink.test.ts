import { afterAll, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { isRefusal } from '../../src/actors/device/devices.js';
import { sessionError } from '../../src/actors/errors.js';
import { FrameBatch } from '../../src/actors/link/batch.js';
import { type NodeFrame, protocolVersion } from '../../src/actors/link/frames.js';
import { type UplinkEvent, type UplinkPorts, uplinkMachine } from '../../src/actors/uplink/machine.js';
import { jitteredBackoff } from '../../src/kernel/backoff.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { sampleOrder, silent, start } from './samples.js';

// Links are numbered without end, so states are told apart by their value and whether it is the first link or a later one.

const registered = { protocol: protocolVersion, epoch: 1, surface: [], surfaceDigest: '', name: 'lab' };
const welcome = { ticket: Buffer.from('t'), heartbeatMs: 10_000, window: 8, settled: ['dp_9'] };
const refused = sessionError('revoked', 'Device LABNODE is revoked');
const passing = sessionError('stale_epoch', 'Register again');

/** Everything that may come over the current link, over the one before it, and from elsewhere. */
function eventsOf(generation: number): UplinkEvent[] {
  const ofLink = (link: number): UplinkEvent[] => [
    { type: 'registered', link, registered },
    { type: 'frame', link, frame: { welcome, sentAtMs: start } },
    {
      type: 'frame',
      link,
      frame: { dispatches: [sampleOrder()], cancels: [{ dispatchId: 'x', reason: '' }], settled: ['y'] },
    },
    { type: 'frame', link, frame: { goodbye: { kind: 'shutdown', reason: 'bye' } } },
    { type: 'ticket.stored', link },
    { type: 'ended', link, error: undefined },
    { type: 'ended', link, error: passing },
    { type: 'ended', link, error: refused },
  ];
  return [
    ...ofLink(generation),
    ...ofLink(generation - 1),
    { type: 'deadline' },
    { type: 'kernel.shutdown', reason: 'stop' },
  ];
}

function world() {
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
    connect: () => {
      const link = ++links;
      trace.push(`connect ${link}`);
      const batch = new FrameBatch<NodeFrame>(
        (frame, written) => {
          frames.push(frame);
          written();
        },
        () => clock.now(),
      );
      return { batch, close: () => trace.push(`close ${link}`) };
    },
    storeTicket: () => trace.push('store'),
    attach: () => trace.push('attach'),
    detach: () => trace.push('detach'),
    receive: () => trace.push('receive'),
    cancel: () => trace.push('cancel'),
    settled: (ids) => trace.push(`settled ${ids.join()}`),
    inFlight: () => 0,
    isRefusal,
    status: ({ state }) => trace.push(`is ${state}`),
  };
  return { clock, deadlines, ports, trace, frames };
}

const visited = new Set<string>();

it('obeys its rules on every shortest path and one event more', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const paths = getShortestPaths(uplinkMachine, {
    input: { ports: world().ports },
    events: (state) => eventsOf(state.context.generation),
    serializeState: ({ value, context }) =>
      JSON.stringify([value, Math.min(2, context.generation), context.registered !== undefined]),
  });
  expect(paths.length).toBeGreaterThan(8);
  for (const path of paths) {
    const begin = path.steps.slice(1).map((step) => step.event);
    for (const last of eventsOf(path.state.context.generation)) play([...begin, last]);
  }
  warn.mockRestore();
});

function play(path: readonly UplinkEvent[]): void {
  const { clock, deadlines, ports, trace, frames } = world();
  const actor = createActor(uplinkMachine, { input: { ports } });
  actor.start();
  for (const event of path) {
    const before = actor.getSnapshot();
    const said = trace.length;
    if (event.type === 'deadline') clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
    else actor.send(event);
    const after = actor.getSnapshot();
    visited.add(after.value);
    // What an older link says is not heard.
    if ('link' in event && event.link !== before.context.generation) {
      expect(after.value).toBe(before.value);
      expect(trace).toHaveLength(said);
      expect(after.context.registered).toBe(before.context.registered);
    }
    if (event.type === 'ended' && event.error === refused && event.link === before.context.generation) {
      if (before.value === 'connecting' || before.value === 'live') expect(after.value).toBe('resting');
    }
    if (event.type === 'deadline' && before.status === 'active')
      expect(trace.length + frames.length).toBeGreaterThan(said);
  }
  const { value, context } = actor.getSnapshot();
  expect(deadlines.pending(actor)).toHaveLength(value === 'stopped' ? 0 : 1);
  const isOnLink = value === 'connecting' || value === 'opening' || value === 'live';
  const opened = trace.filter((entry) => entry.startsWith('connect'));
  const closed = trace.filter((entry) => entry.startsWith('close'));
  expect(opened).toHaveLength(context.generation);
  expect(closed).toHaveLength(context.generation - (isOnLink ? 1 : 0));
  expect(closed.map((entry) => entry.slice(6))).toEqual(
    opened.slice(0, closed.length).map((entry) => entry.slice(8)),
  );
  // Ready goes out once per live link, after its ticket was stored; work is taken only then.
  const lives = trace.filter((entry) => entry === 'is live').length;
  expect(frames.filter((frame) => frame.ready)).toHaveLength(lives);
  expect(trace.filter((entry) => entry === 'attach')).toHaveLength(lives);
  if (lives > 0) expect(trace.indexOf('store')).toBeLessThan(trace.indexOf('attach'));
  if (trace.includes('receive')) expect(trace.indexOf('attach')).toBeLessThan(trace.indexOf('receive'));
  if (value === 'live') expect(trace.lastIndexOf('attach')).toBeGreaterThan(trace.lastIndexOf('detach'));
  else if (lives > 0) expect(trace.lastIndexOf('detach')).toBeGreaterThan(trace.lastIndexOf('attach'));
  if (value === 'stopped') expect(trace.at(-1)).toBe('is stopped');
  actor.stop();
}

it('asks again within half a minute where it failed, and after an hour where it was refused', () => {
  const { clock, deadlines, ports, trace } = world();
  const actor = createActor(uplinkMachine, { input: { ports } });
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
  expect(trace.filter((entry) => entry.startsWith('connect'))).toHaveLength(13);
  actor.stop();
});

it('leaves a daemon that says nothing for three heartbeats', () => {
  const { clock, ports, frames } = world();
  const actor = createActor(uplinkMachine, { input: { ports } });
  actor.start();
  actor.send({ type: 'registered', link: 1, registered });
  actor.send({ type: 'frame', link: 1, frame: { welcome, sentAtMs: start } });
  actor.send({ type: 'ticket.stored', link: 1 });
  for (let i = 0; i < 10; i++) {
    clock.advance(20_000);
    actor.send({ type: 'frame', link: 1, frame: { heartbeatAck: true } });
  }
  expect(actor.getSnapshot().value).toBe('live');
  expect(frames.filter((frame) => frame.heartbeat).length).toBeGreaterThan(15);
  clock.advance(40_000);
  expect(actor.getSnapshot().value).not.toBe('live');
  actor.stop();
});

it('takes no order that came with a jump of the clock, and connects anew', () => {
  const { clock, ports, trace } = world();
  const actor = createActor(uplinkMachine, { input: { ports } });
  actor.start();
  actor.send({ type: 'registered', link: 1, registered });
  actor.send({ type: 'frame', link: 1, frame: { welcome, sentAtMs: start } });
  actor.send({ type: 'ticket.stored', link: 1 });
  clock.setWallTime(clock.now() + 3_600_000);
  actor.send({ type: 'frame', link: 1, frame: { sentAtMs: start, dispatches: [sampleOrder()] } });
  expect(actor.getSnapshot().value).toBe('backoff');
  expect(trace).not.toContain('receive');
  actor.stop();
});

afterAll(() => {
  expect([...visited].sort()).toEqual(Object.keys(uplinkMachine.states).sort());
});
