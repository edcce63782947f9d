import { afterAll, describe, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { nodeError, pairingError, sessionError } from '../../src/actors/errors.js';
import type { RenewalPorts } from '../../src/actors/renewal/behaviour.js';
import type { RenewalEvent } from '../../src/actors/renewal/events.js';
import { renewalMachine } from '../../src/actors/renewal/machine.js';
import { jitteredBackoff } from '../../src/kernel/backoff.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import { type AppError, toAppError } from '../../src/kernel/errors.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { isAboutCertificate, isRefusedReturn } from '../../src/node/link-errors.js';
import { turns } from '../../src/testing/process-life.js';
import { Coverage } from './coverage.js';
import { silent, start } from './samples.js';

const hour = 3_600_000;
const grant = { certificate: 'b', caCertificates: [], nodeAddresses: [], enrollmentAddresses: [] };
const passing = nodeError('bad_certificate', 'The disk is full');
const refused = sessionError('revoked', 'Device LABNODE is revoked');
const unknown = sessionError('unknown_certificate', 'The daemon did not issue this certificate');
const inForce = pairingError('in_force', 'The certificate is in force');
const errors = [passing, refused, unknown, inForce];

/** Everything that can come: answers to the step under way and to one before, and what others say. */
function eventsOf({ step }: { readonly step: number }): RenewalEvent[] {
  const ofStep = (at: number): RenewalEvent[] => [
    { type: 'prepared', step: at },
    { type: 'pending', step: at, pairingId: 'pr_1' },
    { type: 'granted', step: at, grant },
    { type: 'stored', step: at },
    { type: 'confirmed', step: at },
    ...errors.map((error): RenewalEvent => ({ type: 'failed', step: at, error })),
  ];
  return [
    ...ofStep(step),
    ...ofStep(step - 1),
    { type: 'line.live', fingerprint: 'a' },
    { type: 'line.live', fingerprint: 'another' },
    { type: 'order', reason: 'the operator wants it' },
    { type: 'certificate.refused' },
    { type: 'certificate.doubted' },
    { type: 'deadline' },
    { type: 'kernel.shutdown', reason: 'stop' },
  ];
}

/** What the disk of a node may say when its host starts. */
interface Disk {
  readonly hasRequest?: boolean;
  readonly hasToConfirm?: boolean;
  readonly hasEnded?: boolean;
}

/** A node with a certificate of 24 hours. `steps` is what was asked of the outside, the last of it not answered. */
function world({ hasRequest = false, hasToConfirm = false, hasEnded = false }: Disk = {}, random = 0) {
  const clock = new SimulatedClock(start);
  const deadlines = new Deadlines(clock, silent);
  const trace: string[] = [];
  const steps: { readonly what: string; answer(error?: AppError): void }[] = [];
  const lengths = hasEnded ? [-48, -24] : [0, 24];
  let newest = {
    notBefore: start + (lengths[0] ?? 0) * hour,
    notAfter: start + (lengths[1] ?? 0) * hour,
    fingerprint: 'a',
  };
  let request = hasRequest;
  let toConfirm = hasToConfirm;
  let returns = false;
  let unproven = false;
  const step = <T>(what: string, result: T, effect: () => void = () => {}): Promise<T> => {
    trace.push(what);
    return new Promise((resolve, reject) =>
      steps.push({
        what,
        answer: (error) => {
          if (error) return reject(error);
          effect();
          resolve(result);
        },
      }),
    );
  };
  const ports: RenewalPorts = {
    deadlines,
    clock,
    backoff: jitteredBackoff({ firstMs: 1_000, baseMs: 2_000, maxMs: 300_000, random: () => 0.5 }),
    random: () => random,
    daemonNow: () => clock.now(),
    newest: () => newest,
    isUnproven: () => unproven,
    hasEnded: () => clock.now() >= newest.notAfter,
    hasRequest: () => request,
    hasToConfirm: () => toConfirm,
    prepare: () =>
      step('prepare', undefined, () => {
        request = true;
      }),
    renew: () => {
      returns = false;
      return step('renew', grant);
    },
    comeBack: (_pending, signal) => {
      returns = true;
      signal.addEventListener('abort', () => trace.push('hang up'));
      return step('come back', grant);
    },
    confirm: () =>
      step('confirm', undefined, () => {
        toConfirm = false;
      }),
    store: () =>
      step('store', undefined, () => {
        request = false;
        toConfirm = returns;
        unproven = true;
        newest = { notBefore: clock.now(), notAfter: clock.now() + 24 * hour, fingerprint: 'b' };
      }),
    forgetPrevious: (fingerprint) => {
      trace.push(`forget all but ${fingerprint}`);
      unproven = false;
    },
    changed: () => trace.push('move the line'),
    isAboutCertificate,
    isInForce: ({ code }) => code === inForce.code,
    isRefusal: isRefusedReturn,
    status: ({ state }) => trace.push(`is ${state}`),
  };
  return { clock, deadlines, ports, trace, steps };
}

const visited = new Set<string>();
const coverage = new Coverage(renewalMachine);
const disks: readonly (readonly [string, Disk])[] = [
  ['is in force', {}],
  ['is in force, and a request was under way', { hasRequest: true }],
  ['has ended', { hasEnded: true }],
  ['has come by a pairing that is not confirmed', { hasToConfirm: true }],
];

describe.each(disks)('a certificate that %s', (_name, disk) => {
  it('obeys its rules on every shortest path and one event more', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const paths = getShortestPaths(renewalMachine, {
      input: { ports: { ...world(disk).ports, daemonNow: () => start + 20 * hour } },
      events: (state) => eventsOf(state.context),
      serializeState: ({ value, context }) =>
        JSON.stringify([value, context.way, context.grant !== undefined]),
    });
    expect(paths.length).toBeGreaterThan(6);
    for (const path of paths) {
      const begin = path.steps.slice(1).map((step) => step.event);
      for (const last of eventsOf(path.state.context)) await play(disk, [...begin, last]);
    }
    warn.mockRestore();
  });
});

const answersOf: Readonly<Record<string, string>> = {
  prepare: 'prepared',
  renew: 'granted',
  'come back': 'granted',
  store: 'stored',
  confirm: 'confirmed',
};

async function play(disk: Disk, path: readonly RenewalEvent[]): Promise<void> {
  const { clock, deadlines, ports, trace, steps } = world(disk);
  const actor = createActor(renewalMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  visited.add(actor.getSnapshot().value);
  for (const event of path) {
    const before = actor.getSnapshot();
    const under = steps.at(-1);
    const isOfStep = 'step' in event && event.step === before.context.step;
    const said = trace.length;
    if (event.type === 'deadline') {
      if (before.value === 'waiting')
        clock.setWallTime(Math.max(clock.now(), ports.newest().notAfter - 4 * hour));
      clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
    } else if (isOfStep && under && event.type === answersOf[under.what]) {
      under.answer();
      await turns(1);
    } else if (isOfStep && under && event.type === 'failed') {
      under.answer(event.error);
      await turns(1);
    } else {
      actor.send(event);
    }
    const { value, context } = actor.getSnapshot();
    visited.add(value);
    // What answers an earlier step is not heard.
    if ('step' in event && !isOfStep) {
      expect(value).toBe(before.value);
      expect(trace).toHaveLength(said);
    }
    if (event.type === 'line.live' && before.status === 'active') {
      const isNewest = event.fingerprint === ports.newest().fingerprint;
      expect(trace.slice(said)).toContain(isNewest ? `forget all but ${event.fingerprint}` : 'move the line');
      // Who is connected need not come back.
      if (before.value === 'returning') expect([value, trace.includes('hang up')]).toEqual(['waiting', true]);
    }
    if (event.type === 'failed' && isOfStep && before.value === 'asking') {
      const expected =
        event.error === unknown ? 'returning' : event.error === refused ? 'resting' : 'pausing';
      expect(value).toBe(expected);
    }
    if (event.type === 'failed' && isOfStep && before.value === 'returning') {
      const waits = event.error === refused || event.error === unknown;
      expect(value).toBe(event.error === inForce ? 'waiting' : waits ? 'resting' : 'pausing');
    }
    expect(context.waiting !== undefined).toBe(value === 'returning');
  }
  const { value } = actor.getSnapshot();
  const isWorking = ['preparing', 'asking', 'returning', 'storing', 'confirming'].includes(value);
  expect(deadlines.pending(actor)).toHaveLength(isWorking || value === 'stopped' ? 0 : 1);
  // Nothing is asked for before its key is on disk, and nothing is used before it is.
  const at = (what: string): number => trace.indexOf(what);
  if (!disk.hasRequest) {
    for (const what of ['renew', 'come back'])
      if (at(what) !== -1) expect(at('prepare')).toBeLessThan(at(what));
  }
  if (at('is renewed') !== -1) {
    expect(at('store')).toBeLessThan(at('is renewed'));
    expect(trace.slice(at('is renewed'))).toContain('move the line');
  }
  actor.stop();
}

/** Answers each step with success until one of that name is under way. */
async function until(steps: ReturnType<typeof world>['steps'], what: string): Promise<void> {
  while (steps.at(-1)?.what !== what) {
    steps.at(-1)?.answer();
    await turns(1);
  }
}

it('renews at two thirds of the life, those of a fleet up to a twentieth of the life earlier', () => {
  for (const [random, at] of [
    [0, 16],
    [0.5, 15.4],
    [0.999_999, 14.8],
  ] as const) {
    const { clock, ports, trace } = world({}, random);
    const actor = createActor(renewalMachine, { inspect: coverage.inspect, input: { ports } });
    actor.start();
    clock.advance(at * hour - 61_000);
    expect(trace).toEqual([]);
    clock.advance(62_000);
    expect(trace).toEqual(['is renewing', 'prepare']);
    actor.stop();
  }
});

it('renews within a minute of waking up, since no timer moves while a machine sleeps', () => {
  const { clock, ports, trace } = world();
  const actor = createActor(renewalMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  clock.setWallTime(start + 20 * hour);
  clock.advance(60_000);
  expect(trace).toEqual(['is renewing', 'prepare']);
  actor.stop();
});

it('comes back within a minute of waking up when it slept past the end, and confirms that', async () => {
  const { clock, ports, trace, steps } = world();
  const actor = createActor(renewalMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  clock.setWallTime(start + 300 * hour);
  clock.advance(60_000);
  await until(steps, 'confirm');
  expect(trace).toEqual([
    'prepare',
    'is returning',
    'come back',
    'hang up',
    'store',
    'is renewed',
    'move the line',
    'confirm',
  ]);
  steps.at(-1)?.answer(toAppError(passing));
  await turns(1);
  expect(actor.getSnapshot().value).toBe('pausing');
  clock.advance(5_000);
  expect(actor.getSnapshot().value).toBe('confirming');
  steps.at(-1)?.answer();
  await turns(1);
  expect(actor.getSnapshot().value).toBe('waiting');
  actor.stop();
});

it('renews in time although nobody hears its confirmation', async () => {
  const { clock, ports, trace, steps } = world({ hasToConfirm: true });
  const actor = createActor(renewalMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  clock.setWallTime(start + 17 * hour);
  steps.at(-1)?.answer(toAppError(passing));
  await turns(1);
  expect(actor.getSnapshot().value).toBe('pausing');
  clock.advance(5_000);
  await until(steps, 'renew');
  expect(trace.slice(0, 1).concat(trace.slice(-3))).toEqual(['confirm', 'is renewing', 'prepare', 'renew']);
  actor.stop();
});

it('goes on with the same request after each fault, until the certificate is stored and the line moves to it', async () => {
  const { clock, deadlines, ports, trace, steps } = world();
  const actor = createActor(renewalMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  actor.send({ type: 'order', reason: 'the operator wants it' });
  for (const fault of ['prepare', 'renew', 'store']) {
    await until(steps, fault);
    steps.at(-1)?.answer(toAppError(passing));
    await turns(1);
    expect(actor.getSnapshot().value).toBe('pausing');
    clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
  }
  await until(steps, 'store');
  steps.at(-1)?.answer();
  await turns(1);
  expect(trace.slice(-2)).toEqual(['is renewed', 'move the line']);
  actor.send({ type: 'line.live', fingerprint: 'b' });
  expect(trace.at(-1)).toBe('forget all but b');
  actor.stop();
});

it('takes no order for another one while the line is on its way to the newest, which the daemon would drop then', async () => {
  const { ports, trace, steps } = world();
  const actor = createActor(renewalMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  const order = { type: 'order', reason: 'the operator wants it' } as const;
  actor.send(order);
  await until(steps, 'store');
  steps.at(-1)?.answer();
  await turns(1);
  const before = [...trace];
  actor.send(order);
  expect(trace).toEqual(before);
  actor.send({ type: 'line.live', fingerprint: 'b' });
  actor.send(order);
  expect(trace.slice(before.length)).toEqual(['forget all but b', 'is renewing', 'prepare']);
  actor.stop();
});

it('asks on the enrolment port when the line can not be opened, and goes on as before when all is well', async () => {
  const { ports, trace, steps } = world();
  const actor = createActor(renewalMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  actor.send({ type: 'certificate.doubted' });
  await until(steps, 'come back');
  steps.at(-1)?.answer(toAppError(inForce));
  await turns(1);
  expect(actor.getSnapshot().value).toBe('waiting');
  expect(trace.at(-1)).toBe('move the line');
  actor.stop();
});

afterAll(() => {
  const states = Object.keys(renewalMachine.states).filter((state) => state !== 'resume');
  expect([...visited].sort()).toEqual(states.sort());
  coverage.expectAll();
});
