import { afterAll, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { isRefusal } from '../../src/actors/device/devices.js';
import { nodeError, sessionError } from '../../src/actors/errors.js';
import type { RenewalPorts } from '../../src/actors/renewal/behaviour.js';
import type { RenewalEvent } from '../../src/actors/renewal/events.js';
import { renewalMachine } from '../../src/actors/renewal/machine.js';
import { jitteredBackoff } from '../../src/kernel/backoff.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import { type AppError, toAppError } from '../../src/kernel/errors.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { turns } from './crash.js';
import { silent, start } from './samples.js';

const hour = 3_600_000;
const grant = { certificate: 'b', caCertificates: [], nodeAddresses: [], enrollmentAddresses: [] };
const passing = nodeError('bad_certificate', 'The disk is full');
const refused = sessionError('revoked', 'Device LABNODE is revoked');

/** Everything that can come: answers to the step under way and to one before, and what others say. */
function eventsOf({ step }: { readonly step: number }): RenewalEvent[] {
  const ofStep = (at: number): RenewalEvent[] => [
    { type: 'prepared', step: at },
    { type: 'granted', step: at, grant },
    { type: 'stored', step: at },
    { type: 'failed', step: at, error: passing },
    { type: 'failed', step: at, error: refused },
  ];
  return [
    ...ofStep(step),
    ...ofStep(step - 1),
    { type: 'line.live', fingerprint: 'a' },
    { type: 'line.live', fingerprint: 'another' },
    { type: 'order', reason: 'the operator wants it' },
    { type: 'deadline' },
    { type: 'kernel.shutdown', reason: 'stop' },
  ];
}

/** A node with a certificate of 24 hours. `steps` is what was asked of the outside and is not answered. */
function world({ hasRequest = false, random = 0 } = {}) {
  const clock = new SimulatedClock(start);
  const deadlines = new Deadlines(clock, silent);
  const trace: string[] = [];
  const steps: { readonly what: string; answer(error?: AppError): void }[] = [];
  let newest = { notBefore: start, notAfter: start + 24 * hour, fingerprint: 'a' };
  let request = hasRequest;
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
    hasRequest: () => request,
    prepare: () =>
      step('prepare', undefined, () => {
        request = true;
      }),
    renew: () => step('renew', grant),
    store: () =>
      step('store', undefined, () => {
        request = false;
        newest = { notBefore: clock.now(), notAfter: clock.now() + 24 * hour, fingerprint: 'b' };
      }),
    forgetPrevious: (fingerprint) => trace.push(`forget all but ${fingerprint}`),
    changed: () => trace.push('move the line'),
    isRefusal,
    status: ({ state }) => trace.push(`is ${state}`),
  };
  return { clock, deadlines, ports, trace, steps };
}

const visited = new Set<string>();

it.each([false, true])(
  'obeys its rules on every shortest path and one event more (a request was under way: %s)',
  async (hasRequest) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const parts = world({ hasRequest });
    const paths = getShortestPaths(renewalMachine, {
      input: { ports: { ...parts.ports, daemonNow: () => start + 24 * hour } },
      events: (state) => eventsOf(state.context),
      serializeState: ({ value, context }) => JSON.stringify([value, context.grant !== undefined]),
    });
    expect(paths.length).toBeGreaterThan(6);
    for (const path of paths) {
      const begin = path.steps.slice(1).map((step) => step.event);
      for (const last of eventsOf(path.state.context)) await play(hasRequest, [...begin, last]);
    }
    warn.mockRestore();
  },
);

const answersOf = { prepare: 'prepared', renew: 'granted', store: 'stored' } as const;

async function play(hasRequest: boolean, path: readonly RenewalEvent[]): Promise<void> {
  const { clock, deadlines, ports, trace, steps } = world({ hasRequest });
  const actor = createActor(renewalMachine, { input: { ports } });
  actor.start();
  for (const event of path) {
    const before = actor.getSnapshot();
    const under = steps.at(-1);
    const isOfStep = 'step' in event && event.step === before.context.step;
    const said = trace.length;
    if (event.type === 'deadline') {
      if (before.value === 'waiting') clock.setWallTime(start + 20 * hour);
      clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
    } else if (isOfStep && under && event.type === answersOf[under.what as keyof typeof answersOf]) {
      under.answer();
      await turns(1);
    } else if (isOfStep && under && event.type === 'failed') {
      under.answer(event.error);
      await turns(1);
    } else {
      actor.send(event);
    }
    const { value } = actor.getSnapshot();
    visited.add(value);
    // What answers an earlier step is not heard.
    if ('step' in event && !isOfStep) {
      expect(value).toBe(before.value);
      expect(trace).toHaveLength(said);
    }
    if (event.type === 'line.live' && before.status === 'active') {
      expect(trace.at(-1)).toBe(
        event.fingerprint === ports.newest().fingerprint
          ? `forget all but ${event.fingerprint}`
          : 'move the line',
      );
    }
    if (before.value === 'asking' && event.type === 'failed' && isOfStep) {
      expect(value).toBe(event.error === refused ? 'resting' : 'pausing');
    }
  }
  const { value } = actor.getSnapshot();
  const isWorking = value === 'preparing' || value === 'asking' || value === 'storing';
  expect(deadlines.pending(actor)).toHaveLength(isWorking || value === 'stopped' ? 0 : 1);
  // Nothing is asked for before its key is on disk, and nothing is used before it is.
  const at = (what: string): number => trace.indexOf(what);
  if (at('renew') !== -1 && !hasRequest) expect(at('prepare')).toBeLessThan(at('renew'));
  if (at('is renewed') !== -1) {
    expect(at('store')).toBeLessThan(at('is renewed'));
    expect(trace[at('is renewed') + 1]).toBe('move the line');
  }
  actor.stop();
}

/** Answers steps until nothing is asked any more. */
async function answerAll(steps: ReturnType<typeof world>['steps']): Promise<void> {
  for (let done = 0; done < steps.length; done++) {
    steps[done]?.answer();
    await turns(1);
  }
}

it('renews at two thirds of the life, those of a fleet up to a twentieth of the life earlier', () => {
  for (const [random, at] of [
    [0, 16],
    [0.5, 15.4],
    [0.999_999, 14.8],
  ] as const) {
    const { clock, ports, trace } = world({ random });
    const actor = createActor(renewalMachine, { input: { ports } });
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
  const actor = createActor(renewalMachine, { input: { ports } });
  actor.start();
  clock.setWallTime(start + 20 * hour);
  clock.advance(60_000);
  expect(trace).toContain('prepare');
  actor.stop();
});

it('goes on with the same request after each fault, until the certificate is stored and the line moves to it', async () => {
  const { clock, deadlines, ports, trace, steps } = world();
  const actor = createActor(renewalMachine, { input: { ports } });
  actor.start();
  actor.send({ type: 'order', reason: 'the operator wants it' });
  for (const fault of ['prepare', 'renew', 'store']) {
    while (steps.at(-1)?.what !== fault) {
      steps.at(-1)?.answer();
      await turns(1);
    }
    steps.at(-1)?.answer(toAppError(passing));
    await turns(1);
    expect(actor.getSnapshot().value).toBe('pausing');
    clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
  }
  await answerAll(steps.slice(-1));
  await answerAll(steps.slice(-1));
  await answerAll(steps.slice(-1));
  expect(trace.slice(-2)).toEqual(['is renewed', 'move the line']);
  actor.send({ type: 'line.live', fingerprint: 'b' });
  expect(trace.at(-1)).toBe('forget all but b');
  actor.stop();
});

afterAll(() => {
  const states = Object.keys(renewalMachine.states).filter((state) => state !== 'resume');
  expect([...visited].sort()).toEqual(states.sort());
});
