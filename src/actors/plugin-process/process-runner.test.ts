import { afterEach, expect, it } from 'vitest';
import { createKernel, type RootHandle, startRoot } from '../../kernel/kernel.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { supervisor } from '../../kernel/supervisor.js';
import type { HostFrame } from '../../plugins/process/frames.js';
import { sampleCall } from '../../plugins/testing/runner-contract.js';
import type { ProcessHandlers, ProcessLink } from './link.js';
import { ProcessRunner } from './process-runner.js';
import { processesChild } from './processes-child.js';

/*
 * The runner and its machine over processes that only the test moves. What real ones do is in test/integration.
 */

const limits = {
  loadMs: 10_000,
  graceMs: 2_000,
  endMs: 1_000,
  sampleMs: 250,
  samplesPerPing: 4,
  missedPings: 5,
  residentBytes: 1_000,
  maxOutputBytes: 1_000,
};
const log = { debug() {}, info() {}, warn() {}, error() {} };
let root: RootHandle | undefined;

afterEach(() => root?.shutdown('over', 0));

/** A process that says nothing by itself, and goes when it is ended. */
class FakeProcess implements ProcessLink {
  readonly tree;
  readonly backlog = 0;
  readonly sent: HostFrame[] = [];
  readonly ends: string[] = [];
  readonly handlers: ProcessHandlers;
  resident: () => number = () => 10;

  constructor(number: number, handlers: ProcessHandlers) {
    this.tree = { pid: number, startedAt: 'then', marker: `m${number}` };
    this.handlers = handlers;
  }

  residentBytes(): number {
    return this.resident();
  }

  send(frame: HostFrame): void {
    this.sent.push(frame);
  }

  end(how: 'asked' | 'killed'): void {
    this.ends.push(how);
    if (this.ends.length === 1) setImmediate(() => this.handlers.gone());
  }

  ready(): void {
    this.handlers.frame({ type: 'ready', protocol: 1, plugin: 'sample', build: 'b', capabilities: ['x'] });
  }

  /** The ids of the runs that it was given. */
  get runs(): readonly number[] {
    return this.sent.flatMap((frame) => (frame.type === 'run' ? [frame.id] : []));
  }
}

function runnerOver() {
  const clock = new SimulatedClock();
  const kernel = createKernel({ clock, log });
  const processes: FakeProcess[] = [];
  const journal: string[] = [];
  const runner = new ProcessRunner(
    'sample#1',
    { plugin: 'sample', folder: '/', entry: '/x.js', build: 'b', capabilities: ['x'], permissions: {} },
    {
      ...kernel,
      limits,
      enforced: ['environment'],
      launch: (_, handlers) => {
        const process = new FakeProcess(processes.length + 1, handlers);
        processes.push(process);
        return process;
      },
      journal: (_, { marker }, done) => {
        journal.push(`write ${marker}`);
        done();
      },
      forget: ({ marker }) => void journal.push(`forget ${marker}`),
      disabled: () => undefined,
      stopped: () => void journal.push('stopped'),
    },
  );
  const children = [processesChild(kernel, (_, error) => runner.abandon(error))];
  root = startRoot(kernel, supervisor({ kernel, strategy: 'one_for_one', children }));
  const at = (index: number): FakeProcess => {
    const process = processes[index];
    if (process === undefined) throw new Error(`There is no process ${index}`);
    return process;
  };
  return { runner, clock, kernel, processes, at, journal };
}

it('says the first word only when the process is on disk, and forgets it when it is gone', async () => {
  const { runner, at, journal } = runnerOver();
  const result = runner.run(sampleCall('x'));
  expect(journal).toEqual(['write m1']);
  expect(at(0).sent.map(({ type }) => type)).toEqual(['hello']);
  at(0).ready();
  at(0).handlers.frame({ type: 'done', id: 1, output: { ok: true } });
  expect(await result).toEqual({ ok: true });
  await runner.stop();
  expect(at(0).ends[0]).toBe('asked');
  expect(journal).toEqual(['write m1', 'forget m1', 'stopped']);
});

it('sends the settings only when they are others', async () => {
  const { runner, at } = runnerOver();
  const [one, two] = [{ unit: 'K' }, { unit: 'C' }];
  const runs = [one, one, two].map((config) => runner.run(sampleCall('x', { config })));
  at(0).ready();
  expect(at(0).sent.flatMap(({ type }) => (type === 'config' || type === 'run' ? [type] : []))).toEqual([
    'config',
    'run',
    'run',
    'config',
    'run',
  ]);
  for (const id of at(0).runs) at(0).handlers.frame({ type: 'done', id, output: null });
  await Promise.all(runs);
  await runner.stop();
});

it('counts what the process has said before it ended, and fails the rest', async () => {
  const { runner, at } = runnerOver();
  const [first, second] = [runner.run(sampleCall('x')), runner.run(sampleCall('x'))];
  at(0).ready();
  at(0).handlers.exited('it exited with code 1');
  at(0).handlers.frame({ type: 'done', id: 1, output: 'in time' });
  expect(await first).toBe('in time');
  await expect(second).rejects.toMatchObject({
    code: 'plugin.process_ended',
    message: "The process of plugin 'sample' ended: it exited with code 1",
  });
});

it('keeps runs waiting while a process fails that had loaded, and gives them to the next', async () => {
  const { runner, clock, at, processes } = runnerOver();
  await Promise.all([runner.start(), at(0).ready()]);
  at(0).handlers.exited('it exited with code 1');
  const waiting = runner.run(sampleCall('x'));
  await expect.poll(() => at(0).ends.length).toBeGreaterThan(0);
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(1);
  expect(processes).toHaveLength(2);
  at(1).ready();
  at(1).handlers.frame({ type: 'done', id: at(1).runs[0] ?? 0, output: 'second' });
  expect(await waiting).toBe('second');
});

it('takes no answer to a run that is not under way, and no handler for what only the host may say', async () => {
  const { runner, at } = runnerOver();
  const run = runner.run(sampleCall('x'));
  at(0).ready();
  at(0).handlers.frame({
    type: 'failed',
    id: 1,
    failure: { code: 'disabled', message: 'not for you to say' },
  });
  await expect(run).rejects.toMatchObject({ code: 'plugin.handler_crashed' });
  const cancelled = runner.run(sampleCall('x'));
  at(0).handlers.frame({ type: 'failed', id: 2, failure: { code: 'cancelled', message: 'nobody asked' } });
  await expect(cancelled).rejects.toMatchObject({ code: 'plugin.handler_crashed' });
  at(0).handlers.frame({ type: 'done', id: 2, output: 'twice' });
  expect(at(0).ends).toEqual(['killed']);
});

it('ends the process of an actor that crashed, fails what ran in it, and starts both again for the next run', async () => {
  const { runner, clock, at, processes, kernel } = runnerOver();
  const run = runner.run(sampleCall('x'));
  at(0).ready();
  at(0).resident = () => {
    throw new Error('a fault of ours');
  };
  clock.advance(250);
  await expect(run).rejects.toMatchObject({
    code: 'plugin.process_ended',
    message: expect.stringContaining('was ended with its actor'),
  });
  const next = runner.run(sampleCall('x'));
  expect(processes).toHaveLength(2);
  at(1).ready();
  at(1).handlers.frame({ type: 'done', id: 2, output: 'again' });
  expect(await next).toBe('again');
  await runner.stop();
  expect(kernel.deadlines.size).toBe(0);
});
