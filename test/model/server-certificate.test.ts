import { afterAll, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import {
  type ServerCertificateEvent,
  type ServerCertificatePorts,
  serverCertificateMachine,
} from '../../src/actors/authority/server-certificate.js';
import { jitteredBackoff } from '../../src/kernel/backoff.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { turns } from '../../src/testing/process-life.js';
import { Coverage } from './coverage.js';
import { silent, start } from './samples.js';

const day = 86_400_000;

function world() {
  const clock = new SimulatedClock(start);
  const deadlines = new Deadlines(clock, silent);
  const attempts: { readonly end: (error?: Error) => void }[] = [];
  const failures: number[] = [];
  let due = start + 20 * day;
  const ports: ServerCertificatePorts = {
    deadlines,
    clock,
    backoff: jitteredBackoff({ firstMs: 1_000, baseMs: 2_000, maxMs: 600_000, random: () => 0.5 }),
    renewalDue: () => due,
    renew: () =>
      new Promise((resolve, reject) => {
        const end = (error?: Error): void => {
          if (error) reject(error);
          else {
            due = clock.now() + 20 * day;
            resolve();
          }
        };
        attempts.push({ end });
      }),
    failed: (_error, retryInMs) => failures.push(retryInMs),
  };
  return { clock, deadlines, ports, attempts, failures };
}

const visited = new Set<string>();
const coverage = new Coverage(serverCertificateMachine);
const events: readonly ServerCertificateEvent[] = [
  { type: 'deadline' },
  { type: 'issued' },
  { type: 'failed', error: new Error('the disk is full') },
];

it('has one attempt under way while it renews, else one deadline, on every shortest path and one event more', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const input = { ports: { ...world().ports, renewalDue: () => 0 } };
  const paths = getShortestPaths(serverCertificateMachine, {
    input,
    events: [...events],
    serializeState: ({ value }) => JSON.stringify(value),
  });
  expect(paths).toHaveLength(3);
  for (const path of paths) {
    const begin = path.steps.slice(1).map((step) => step.event);
    for (const last of events) await play([...begin, last]);
  }
  warn.mockRestore();
});

async function play(path: readonly ServerCertificateEvent[]): Promise<void> {
  const { clock, deadlines, ports, attempts, failures } = world();
  const actor = createActor(serverCertificateMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  let begun = 0;
  for (const event of path) {
    const before = actor.getSnapshot().value;
    if (event.type === 'deadline') {
      if (before === 'serving') clock.setWallTime(ports.renewalDue());
      clock.advance(deadlines.pending(actor)[0]?.inMs ?? 0);
      if (before !== 'renewing') begun += 1;
    } else if (before === 'renewing') {
      attempts.at(-1)?.end(event.type === 'failed' ? new Error('the disk is full') : undefined);
      await turns(1);
    } else actor.send(event);
    const { value } = actor.getSnapshot();
    visited.add(value);
    expect(attempts).toHaveLength(begun);
    expect(deadlines.pending(actor)).toHaveLength(value === 'renewing' ? 0 : 1);
    if (value === 'retrying') expect(failures.length).toBeGreaterThan(0);
  }
  actor.stop();
}

it('renews in time over a sleep, in which no timer moves, and over a step of the wall clock', async () => {
  const { clock, ports, attempts } = world();
  const actor = createActor(serverCertificateMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  clock.advance(3_600_000);
  expect(attempts).toHaveLength(0);
  // The machine sleeps for 25 days: the wall clock has moved, the monotonic one has not.
  clock.setWallTime(clock.now() + 25 * day);
  clock.advance(60_000);
  expect(attempts).toHaveLength(1);
  attempts[0]?.end();
  await turns(1);
  clock.setWallTime(clock.now() - 25 * day);
  clock.advance(3_600_000);
  expect(attempts).toHaveLength(1);
  actor.stop();
});

it('tries on for as long as it takes, at least every ten minutes', async () => {
  const { clock, deadlines, ports, attempts, failures } = world();
  const actor = createActor(serverCertificateMachine, { inspect: coverage.inspect, input: { ports } });
  actor.start();
  clock.setWallTime(ports.renewalDue());
  clock.advance(60_000);
  for (let attempt = 0; attempt < 20; attempt++) {
    attempts.at(-1)?.end(new Error('the disk is full'));
    await turns(1);
    const wait = deadlines.pending(actor)[0]?.inMs ?? 0;
    expect(wait).toBeLessThanOrEqual(600_000);
    clock.advance(wait);
    expect(attempts).toHaveLength(attempt + 2);
  }
  expect(failures).toHaveLength(20);
  attempts.at(-1)?.end();
  await turns(1);
  expect(actor.getSnapshot().value).toBe('serving');
  actor.stop();
});

afterAll(() => {
  expect([...visited].sort()).toEqual(Object.keys(serverCertificateMachine.states).sort());
  coverage.expectAll();
});
