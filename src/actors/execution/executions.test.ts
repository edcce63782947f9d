import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { sampleOrder, sampleResult, silent } from '../../../test/model/samples.js';
import { FailingStore } from '../../adapters/store/failing.js';
import { openStore } from '../../adapters/store/sqlite/sqlite-store.js';
import { crowd } from '../../kernel/crowd.js';
import { createKernel } from '../../kernel/kernel.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import type { Store } from '../../kernel/store.js';
import { supervisor } from '../../kernel/supervisor.js';
import { crowds, executionAddress } from '../addresses.js';
import { nodeError } from '../errors.js';
import { FrameBatch } from '../link/batch.js';
import type { DispatchOrder, NodeFrame } from '../link/frames.js';
import { Executions } from './executions.js';
import { ExecutionJournal } from './journal.js';
import { executionMachine } from './machine.js';

interface Run {
  readonly order: DispatchOrder;
  readonly signal: AbortSignal;
  progress(value: string, skipped?: number): void;
  succeed(output: string): void;
  fail(): void;
}

const ends: (() => void | Promise<void>)[] = [];
let folder = '';

beforeEach(() => {
  // A development build of XState takes the initial context of an actor that an action starts for an `assign` in it.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  folder = mkdtempSync(join(tmpdir(), 'palyra-executions-'));
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
});

const once = (dispatchId = 'dp_1') => sampleOrder({ dispatchId, repeatable: false });

/** A node host on the disk in `folder`. */
async function host(wrap: (store: Store) => Store = (store) => store) {
  const opened = await openStore(join(folder, 'node.db'));
  const clock = new SimulatedClock();
  const kernel = createKernel({ clock, log: silent });
  const runs: Run[] = [];
  const failures: unknown[] = [];
  const store = wrap(opened);
  const executions = await Executions.open({
    ...kernel,
    journal: new ExecutionJournal(store),
    host: {
      refusal: () => undefined,
      needsMediation: () => false,
      mediate: () => undefined,
      run: (order, signal, _deadline, _permission, progress) =>
        new Promise((resolve, reject) =>
          runs.push({
            order,
            signal,
            progress: (value, skipped) => progress(Buffer.from(value), skipped),
            succeed: (output) => resolve(Buffer.from(output)),
            fail: () => reject(nodeError('refused', 'no')),
          }),
        ),
    },
    ran: () => undefined,
    failed: (error) => failures.push(error),
  });
  const executing = crowd({
    kernel,
    name: 'executions',
    logic: executionMachine,
    address: executionAddress,
    abandon: (id, error) => executions.abandon(id, error),
    shutdownMs: 100,
  });
  const root = createActor(
    supervisor({
      kernel,
      strategy: 'one_for_one',
      children: [
        {
          id: 'executions',
          address: crowds.executions,
          logic: executing,
          restart: 'permanent',
          shutdown: 100,
        },
      ],
    }),
  );
  root.start();
  const frames: NodeFrame[] = [];
  const connect = (): void => {
    frames.length = 0;
    const batch = new FrameBatch<NodeFrame>(
      (frame, written) => {
        frames.push(frame);
        written();
      },
      () => 0,
    );
    executions.attach(batch, () => clock.now());
  };
  connect();
  const stop = async (): Promise<void> => {
    root.stop();
    await opened.close();
  };
  ends.push(stop);
  const said = () => ({
    results: frames.flatMap((frame) => frame.results ?? []),
    outcomes: frames.flatMap((frame) => frame.cancelOutcomes ?? []),
    started: frames.flatMap((frame) => frame.started ?? []),
  });
  const journal = async () => (await opened.list({ kind: 'execution' })).records;
  return { executions, runs, failures, frames, said, connect, stop, journal };
}

it('runs an order once, however often it comes', async () => {
  const { executions, runs, said } = await host();
  executions.receive(once(), 0);
  executions.receive(once(), 0);
  await vi.waitFor(() => expect(runs).toHaveLength(1));
  executions.receive(once(), 0);
  expect(executions.inFlight()).toEqual([{ dispatchId: 'dp_1', phase: 'started' }]);
  runs[0]?.succeed('{"a":1}');
  await vi.waitFor(() => expect(said().results).toHaveLength(1));
  executions.receive(once(), 0);
  expect(said().results).toHaveLength(2);
  expect(said().results[1]).toEqual(said().results[0]);
  expect(runs).toHaveLength(1);
});

it('stops everything that runs when the daemon has shut the device out, and keeps what came of it', async () => {
  const { executions, runs, said, journal } = await host();
  executions.receive(once('dp_1'), 0);
  executions.receive(sampleOrder({ dispatchId: 'dp_2' }), 0);
  await vi.waitFor(() => expect(runs).toHaveLength(2));
  executions.detach();
  executions.stop('Device LABNODE is revoked');
  expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  for (const run of runs) run.fail();
  await vi.waitFor(() => expect(executions.running).toBe(0));
  expect(said().results).toEqual([]);
  expect(executions.inFlight().map(({ phase }) => phase)).toEqual(['finished', 'finished']);
  expect(await journal()).toMatchObject([{ data: { result: { outcome: 'cancelled', started: true } } }]);
});

it('has "started" on disk before the handler of what may not be repeated runs, and its result before it tells it', async () => {
  const { executions, runs, said, journal } = await host();
  executions.receive(once(), 0);
  expect(runs).toHaveLength(0);
  expect(executions.inFlight()).toEqual([{ dispatchId: 'dp_1', phase: 'received' }]);
  await vi.waitFor(() => expect(runs).toHaveLength(1));
  expect((await journal())[0]).toMatchObject({ id: 'dp_1', state: 'started' });
  expect(executions.inFlight()).toEqual([{ dispatchId: 'dp_1', phase: 'started' }]);
  runs[0]?.succeed('{}');
  await vi.waitFor(() => expect(said().results).toHaveLength(1));
  expect((await journal())[0]?.state).toBe('finished');
  executions.settled(['dp_1']);
  expect(executions.inFlight()).toEqual([]);
  await vi.waitFor(async () => expect(await journal()).toEqual([]));
});

it('numbers progress, says "started" before the first, and drops what comes after the end', async () => {
  const { executions, runs, frames } = await host();
  executions.receive(sampleOrder(), 0);
  await vi.waitFor(() => expect(runs).toHaveLength(1));
  const [run] = runs;
  run?.progress('"a"');
  run?.progress('"b"');
  run?.progress('"f"', 3);
  run?.succeed('null');
  await vi.waitFor(() => expect(executions.running).toBe(0));
  run?.progress('"late"');
  const told = frames.flatMap((frame) => [
    ...(frame.started ?? []).map(() => 'started'),
    ...(frame.progress ?? []).map(({ sequence, value }) => `${sequence} ${Buffer.from(value)}`),
    ...(frame.results ?? []).map(({ outcome }) => outcome),
  ]);
  expect(told).toEqual(['started', '1 "a"', '2 "b"', '6 "f"', 'succeeded']);
});

it('starts nothing that it can’t journal', async () => {
  const { executions, runs, failures } = await host((store) => new FailingStore(store));
  executions.receive(once(), 0);
  await vi.waitFor(() => expect(failures).toMatchObject([{ code: 'store.failed' }]));
  expect(runs).toHaveLength(0);
});

it('says "started" only when the result is not ready within the turn', async () => {
  const { executions, runs, said } = await host();
  executions.receive(sampleOrder({ dispatchId: 'dp_fast' }), 0);
  runs[0]?.succeed('{}');
  executions.receive(sampleOrder({ dispatchId: 'dp_slow' }), 0);
  await vi.waitFor(() => expect(said().started).toEqual(['dp_slow']));
  expect(said().results.map((result) => result.dispatchId)).toEqual(['dp_fast']);
});

it('tells results that were not settled again on the next session', async () => {
  const { executions, runs, said, connect } = await host();
  executions.receive(sampleOrder(), 0);
  executions.detach();
  runs[0]?.succeed('{"a":2}');
  await vi.waitFor(() => expect(executions.inFlight()).toEqual([{ dispatchId: 'dp_1', phase: 'finished' }]));
  expect(said().results).toEqual([]);
  connect();
  expect(said().results).toMatchObject([{ outcome: 'succeeded', started: true }]);
  connect();
  expect(said().results).toHaveLength(1);
});

it('does not know how far work came that a dead host had started, and does not start it again', async () => {
  const first = await host();
  first.executions.receive(once(), 0);
  await vi.waitFor(() => expect(first.runs).toHaveLength(1));
  await first.stop();
  const second = await host();
  expect(second.executions.inFlight()).toEqual([{ dispatchId: 'dp_1', phase: 'interrupted' }]);
  expect(second.said().results).toMatchObject([{ outcome: 'unknown', reason: 'interrupted', started: true }]);
  second.executions.receive(once(), 0);
  expect(second.said().results).toHaveLength(2);
  expect(second.runs).toHaveLength(0);
  second.executions.settled(['dp_1']);
  await vi.waitFor(async () => expect(await second.journal()).toEqual([]));
});

it('keeps a result over a restart, byte for byte', async () => {
  const first = await host();
  first.executions.receive(once(), 0);
  await vi.waitFor(() => expect(first.runs).toHaveLength(1));
  first.runs[0]?.succeed('{"text":"grüße 🎉"}');
  await vi.waitFor(() => expect(first.said().results).toHaveLength(1));
  await first.stop();
  const second = await host();
  const [result] = second.said().results;
  expect(Buffer.from(result?.output ?? []).toString()).toBe('{"text":"grüße 🎉"}');
  expect(result).toMatchObject({ outcome: 'succeeded', started: true });
});

it('remembers a cancel of what it does not know, over a restart, until it is settled', async () => {
  const first = await host();
  first.executions.cancel({ dispatchId: 'dp_1', reason: 'no' });
  await vi.waitFor(() =>
    expect(first.said().outcomes).toEqual([{ dispatchId: 'dp_1', outcome: 'not_known' }]),
  );
  first.executions.receive(once(), 0);
  expect(first.said().results).toMatchObject([{ outcome: 'cancelled', started: false }]);
  await first.stop();
  const second = await host();
  expect(second.executions.inFlight()).toEqual([{ dispatchId: 'dp_1', phase: 'cancelled' }]);
  second.executions.receive(once(), 0);
  expect(second.runs).toHaveLength(0);
  second.executions.settled(['dp_1']);
  expect(second.executions.inFlight()).toEqual([]);
});

it('stops a running handler and reports what really became of it', async () => {
  const { executions, runs, said } = await host();
  executions.receive(sampleOrder({ dispatchId: 'dp_1' }), 0);
  executions.receive(sampleOrder({ dispatchId: 'dp_2' }), 0);
  for (const dispatchId of ['dp_1', 'dp_2']) executions.cancel({ dispatchId, reason: 'enough' });
  expect(said().outcomes.map(({ outcome }) => outcome)).toEqual(['stopping', 'stopping']);
  expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  runs[0]?.fail();
  runs[1]?.succeed('{}');
  await vi.waitFor(() => expect(said().results).toHaveLength(2));
  expect(said().results).toMatchObject([
    { dispatchId: 'dp_1', outcome: 'cancelled', reason: 'enough', started: true },
    { dispatchId: 'dp_2', outcome: 'succeeded', started: true },
  ]);
  executions.cancel({ dispatchId: 'dp_1', reason: 'again' });
  expect(said().outcomes.at(-1)?.outcome).toBe('already_finished');
});

it('never starts what was cancelled while its start was being journaled', async () => {
  const { executions, runs, said } = await host();
  executions.receive(once(), 0);
  executions.cancel({ dispatchId: 'dp_1', reason: 'quick' });
  await vi.waitFor(() => expect(said().results).toMatchObject([{ outcome: 'cancelled', started: false }]));
  await new Promise((resolve) => setImmediate(resolve));
  expect(runs).toHaveLength(0);
});

it('says also after a crash that what ended while its start was being journaled was never started', async () => {
  const first = await host();
  first.executions.receive(once(), 0);
  first.executions.cancel({ dispatchId: 'dp_1', reason: 'quick' });
  await vi.waitFor(() => expect(first.said().results).toHaveLength(1));
  await first.stop();
  const second = await host();
  expect(second.said().results).toMatchObject([{ outcome: 'cancelled', started: false }]);
  expect(second.executions.inFlight()).toEqual([{ dispatchId: 'dp_1', phase: 'finished' }]);
});

it('journals versions in order and forgets what it never wrote without a commit', async () => {
  const store = await openStore(join(folder, 'journal.db'));
  ends.push(() => store.close());
  const journal = new ExecutionJournal(store);
  await journal.forget('dp_unknown');
  await Promise.all([
    journal.write('dp_1', { phase: 'started' }, 1),
    journal.write('dp_1', { phase: 'finished', result: sampleResult() }, 2),
    journal.write('dp_2', { phase: 'cancelled' }, 3),
  ]);
  const again = new ExecutionJournal(store);
  expect([...(await again.load())].map(([id, entry]) => [id, entry.phase])).toEqual([
    ['dp_1', 'finished'],
    ['dp_2', 'cancelled'],
  ]);
  await again.forget('dp_1');
  await again.write('dp_1', { phase: 'started' }, 4);
  expect((await store.get('execution', 'dp_1'))?.version).toBe(1);
});
