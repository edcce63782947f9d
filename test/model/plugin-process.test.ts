import { afterAll, describe, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { PluginProcessPorts } from '../../src/actors/plugin-process/behaviour.js';
import type { PluginProcessEvent } from '../../src/actors/plugin-process/events.js';
import { pluginProcessMachine } from '../../src/actors/plugin-process/machine.js';
import { jitteredBackoff } from '../../src/kernel/backoff.js';
import { Deadlines } from '../../src/kernel/deadlines.js';
import type { AppError } from '../../src/kernel/errors.js';
import { RestartIntensity } from '../../src/kernel/restart-intensity.js';
import { SimulatedClock } from '../../src/kernel/simulated-clock.js';
import { pluginError } from '../../src/plugins/plugin-errors.js';
import { Coverage } from './coverage.js';
import { silent, start } from './samples.js';

const limits = {
  loadMs: 10_000,
  endMs: 1_000,
  sampleMs: 250,
  samplesPerPing: 4,
  missedPings: 5,
  residentBytes: 512,
} as const;
const died = pluginError('process_ended', 'it exited with code 1');
const broke = pluginError('process_ended', 'it broke the protocol');
const noCode = pluginError('load_failed', 'its code failed');

/** How the process and its runs are, which the machine asks and does not keep. */
interface Circumstances {
  readonly isWanted: boolean;
  readonly isBusy: boolean;
  readonly residentBytes: number;
  readonly unanswered: number;
}

const calm: Circumstances = { isWanted: true, isBusy: true, residentBytes: 100, unanswered: 0 };

/** Everything that may come from the process that counts, from the one before, and from elsewhere. */
function eventsOf(run: number): PluginProcessEvent[] {
  const ofProcess = (number: number): PluginProcessEvent[] => [
    { type: 'journaled', run: number },
    { type: 'loaded', run: number },
    { type: 'refused', run: number, error: noCode },
    { type: 'condemned', run: number, error: broke },
    { type: 'exited', run: number, error: died },
    { type: 'gone', run: number },
  ];
  return [
    ...ofProcess(run),
    ...ofProcess(run - 1),
    { type: 'wanted' },
    { type: 'idle' },
    { type: 'drain', graceMs: 2_000 },
    { type: 'deadline' },
    { type: 'kernel.shutdown', reason: 'stop' },
  ];
}

function world(about: Circumstances) {
  const clock = new SimulatedClock(start);
  const deadlines = new Deadlines(clock, silent);
  const trace: string[] = [];
  const endings: AppError[] = [];
  const ports: PluginProcessPorts = {
    plugin: 'sample',
    deadlines,
    clock,
    limits,
    backoff: jitteredBackoff({ firstMs: 0, baseMs: 200, maxMs: 30_000, random: () => 0.5 }),
    failures: new RestartIntensity(1, 300_000),
    launch: (run) => trace.push(`launch ${run}`),
    greet: () => trace.push('greet'),
    open: () => trace.push('open'),
    close: () => trace.push('close'),
    ping: () => trace.push('ping'),
    unanswered: () => about.unanswered,
    residentBytes: () => about.residentBytes,
    end: (how) => trace.push(`end ${how}`),
    buried: (error, wasLoaded) => {
      trace.push(wasLoaded ? 'buried' : 'buried unloaded');
      endings.push(error);
    },
    isWanted: () => about.isWanted,
    isBusy: () => about.isBusy,
    disabled: (error) => {
      trace.push('disabled');
      endings.push(error);
    },
    stopped: () => trace.push('stopped'),
  };
  return { clock, deadlines, ports, trace, endings };
}

const visited = new Set<string>();
const coverage = new Coverage(pluginProcessMachine);
const withProcess = ['starting', 'handshaking', 'ready', 'draining', 'ending', 'killing'];

function begin(about: Circumstances) {
  const parts = world(about);
  const actor = createActor(pluginProcessMachine, {
    inspect: coverage.inspect,
    input: { ports: parts.ports },
  });
  actor.start();
  const send = (event: PluginProcessEvent): void => {
    if (event.type === 'deadline') parts.clock.advance(parts.deadlines.pending(actor)[0]?.inMs ?? 0);
    else actor.send(event);
    visited.add(actor.getSnapshot().value);
  };
  return { ...parts, actor, send };
}

it.each([
  ['calm', calm],
  ['idle', { ...calm, isBusy: false, isWanted: false }],
  ['large', { ...calm, residentBytes: 513 }],
  ['silent', { ...calm, unanswered: 5 }],
] as const)('obeys its rules on every shortest path and one event more, when it is %s', (_, about) => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const paths = getShortestPaths(pluginProcessMachine, {
    input: { ports: world(about).ports },
    events: (state) => eventsOf(state.context.run),
    serializeState: ({ value, context }) =>
      JSON.stringify([
        value,
        Math.min(2, context.run),
        context.loadedAt !== undefined,
        context.isStopping,
        context.failedTooOften,
        context.drainUntil < Number.POSITIVE_INFINITY,
      ]),
  });
  expect(paths.length).toBeGreaterThan(7);
  for (const path of paths) {
    const before = path.steps.slice(1).map((step) => step.event);
    for (const last of eventsOf(path.state.context.run)) play([...before, last], about);
  }
  warn.mockRestore();
});

function play(path: readonly PluginProcessEvent[], about: Circumstances): void {
  const { actor, deadlines, trace, send, endings } = begin(about);
  for (const event of path) {
    const before = actor.getSnapshot();
    const said = trace.length;
    send(event);
    const after = actor.getSnapshot();
    // What an older process says is not heard.
    if ('run' in event && event.run !== before.context.run) {
      expect(after.value).toBe(before.value);
      expect(trace).toHaveLength(said);
    }
    // A process goes only when nothing of it is left.
    if (withProcess.includes(before.value) && !withProcess.includes(after.value))
      expect(event.type).toBe('gone');
    // Who was told to stop never starts another.
    if (before.context.isStopping && before.status === 'active')
      expect(['draining', 'ending', 'killing', 'stopped']).toContain(after.value);
  }
  const { value, context } = actor.getSnapshot();
  // At most one process at a time, each heard its first word only once it was on disk, and each is buried once.
  const launched = trace.filter((entry) => entry.startsWith('launch'));
  const buried = trace.filter((entry) => entry.startsWith('buried'));
  expect(launched).toHaveLength(context.run);
  expect(buried).toHaveLength(context.run - (withProcess.includes(value) ? 1 : 0));
  for (const [at, entry] of trace.entries()) {
    if (entry === 'open') expect(trace.slice(0, at)).toContain('greet');
    if (entry.startsWith('launch') && at > 0)
      expect(trace.slice(0, at).filter((one) => one.startsWith('buried'))).toHaveLength(
        Number(entry.slice(7)) - 1,
      );
  }
  // What is open is closed before its process is buried.
  expect(trace.filter((entry) => entry === 'open')).toHaveLength(
    trace.filter((entry) => entry === 'close').length + (value === 'ready' ? 1 : 0),
  );
  // It waits for something by itself, or for nothing.
  const waits = ['idle', 'disabled', 'killing', 'stopped'].includes(value) ? 0 : 1;
  expect(deadlines.pending(actor)).toHaveLength(waits);
  expect(trace.filter((entry) => entry === 'stopped')).toHaveLength(value === 'stopped' ? 1 : 0);
  expect(trace.filter((entry) => entry === 'disabled')).toHaveLength(
    endings.some(({ code }) => code === 'plugin.disabled') ? 1 : 0,
  );
}

describe('the process of a plugin', () => {
  const ready = (run: number): PluginProcessEvent[] => [
    { type: 'journaled', run },
    { type: 'loaded', run },
  ];

  it('is asked every second whether it answers, and looked at four times as often', () => {
    const { clock, send, trace } = begin(calm);
    for (const event of [{ type: 'wanted' } as const, ...ready(1)]) send(event);
    clock.advance(3_000);
    expect(trace.filter((entry) => entry === 'ping')).toHaveLength(4);
  });

  it('starts again at once after its first failure, then later and later', () => {
    const { clock, send, actor } = begin(calm);
    send({ type: 'wanted' });
    send({ type: 'exited', run: 1, error: died });
    send({ type: 'gone', run: 1 });
    expect(actor.getSnapshot().value).toBe('backoff');
    clock.advance(0);
    expect(actor.getSnapshot()).toMatchObject({ value: 'starting', context: { run: 2 } });
  });

  it('is disabled with the reason when it fails too often', () => {
    const { clock, send, actor, endings } = begin(calm);
    send({ type: 'wanted' });
    for (const run of [1, 2]) {
      send({ type: 'exited', run, error: died });
      send({ type: 'gone', run });
      clock.advance(1);
    }
    expect(actor.getSnapshot().value).toBe('disabled');
    expect(endings.at(-1)).toMatchObject({
      code: 'plugin.disabled',
      message:
        "Plugin 'sample' is disabled: it failed 2 times in 5 minutes, last because: it exited with code 1",
    });
    send({ type: 'wanted' });
    expect(actor.getSnapshot().value).toBe('disabled');
  });

  it('has its row of failures forgotten when it ran well for long', () => {
    const { clock, send, actor, deadlines } = begin(calm);
    send({ type: 'wanted' });
    const fail = (run: number): number => {
      send({ type: 'exited', run, error: died });
      send({ type: 'gone', run });
      return deadlines.pending(actor)[0]?.inMs ?? -1;
    };
    expect(fail(1)).toBe(0);
    clock.advance(0);
    for (const event of ready(2)) send(event);
    clock.advance(300_000);
    expect(fail(2)).toBe(0);
  });

  it('has the runs that it drains ended when their time is over', () => {
    const { clock, send, actor, endings } = begin(calm);
    for (const event of [{ type: 'wanted' } as const, ...ready(1)]) send(event);
    send({ type: 'drain', graceMs: 2_000 });
    clock.advance(1_999);
    expect(actor.getSnapshot().value).toBe('draining');
    clock.advance(1);
    expect(actor.getSnapshot().value).toBe('killing');
    send({ type: 'gone', run: 1 });
    expect(actor.getSnapshot().value).toBe('stopped');
    expect(endings[0]).toMatchObject({ code: 'plugin.stopped' });
  });
});

afterAll(() => {
  coverage.expectAll();
  expect([...visited].sort()).toEqual(Object.keys(pluginProcessMachine.states).sort());
});
