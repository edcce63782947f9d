import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SimulatedClock } from '../kernel/simulated-clock.js';
import { InlineRunner } from './inline-runner.js';
import { pluginError } from './plugin-errors.js';
import type { RunCall } from './runner.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palyra-runner-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const failure =
  "Object.assign(new Error('none'), { code: 'no_paper', retryable: true, details: { tray: 2 }, [Symbol.for('palyra.dev/capability-error')]: true })";

/** Each capability's handler, as JavaScript. */
const handlers = {
  keys: '(call) => ({ keys: Object.keys(call).sort(), frozen: Object.isFrozen(call) })',
  later: 'async ({ input }) => { await null; return input; }',
  crash: "() => { throw new Error('boom') }",
  reject: "async () => { throw 'text' }",
  fail: `async () => { throw ${failure} }`,
  nan: '() => ({ a: [1, NaN] })',
  date: '() => new Date(0)',
  nothing: '() => undefined',
  cycle: '() => { const a = {}; a.a = a; return a }',
  optional: '() => ({ a: undefined, b: 1 })',
  polite: "({ signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason)))",
  hasty: "({ signal }) => new Promise((ok) => signal.addEventListener('abort', () => ok('finished anyway')))",
  deaf: '() => new Promise(() => {})',
  progress: '({ progress }) => { progress(1); progress({ done: 0.5 }); return null }',
  late: '({ progress, input }) => { setTimeout(() => { progress(1); input.called() }, 0); return null }',
  flood: "({ progress }) => { progress('x'.repeat(70000)); return null }",
  function: '({ progress }) => { progress(() => {}); return null }',
};

async function started(clock = new SimulatedClock(), source?: string, capabilities = Object.keys(handlers)) {
  const list = Object.entries(handlers).map(([name, code]) => `{ name: '${name}', handler: ${code} }`);
  const entry = join(folder, `${crypto.randomUUID()}.mjs`);
  await writeFile(entry, source ?? `export default { capabilities: [${list.join(',\n')}] };`);
  const runner = new InlineRunner({
    plugin: 'sample',
    entry,
    capabilities,
    clock,
    graceMs: 500,
    loadMs: 1_000,
  });
  return { runner, clock };
}

function call(capability: keyof typeof handlers, changes: Partial<RunCall> = {}): RunCall {
  const ignore = () => undefined;
  return {
    capability,
    input: { x: 1 },
    signal: new AbortController().signal,
    deadline: Number.MAX_SAFE_INTEGER,
    progress: ignore,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    config: {},
    host: { openUrl: async () => undefined },
    ...changes,
  };
}

async function running() {
  const made = await started();
  await made.runner.start();
  return made;
}

test('a handler gets exactly what was promised, frozen', async () => {
  const { runner } = await running();
  expect(await runner.run(call('keys'))).toEqual({
    keys: ['config', 'deadline', 'host', 'input', 'log', 'progress', 'signal'],
    frozen: true,
  });
  expect(await runner.run(call('later'))).toEqual({ x: 1 });
  expect(await runner.run(call('optional'))).toEqual({ b: 1 });
});

test.each([
  ['crash', 'plugin.handler_crashed', "'crash' failed unexpectedly: boom"],
  ['reject', 'plugin.handler_crashed', "'reject' failed unexpectedly: text"],
  ['fail', 'plugin.capability_unavailable', 'none'],
  ['nan', 'plugin.output_not_json', "'nan' returned something that is not JSON at /a/1"],
  ['date', 'plugin.output_not_json', "'date' returned something that is not JSON"],
  ['nothing', 'plugin.output_not_json', "'nothing' returned something that is not JSON"],
  ['flood', 'plugin.progress_invalid', "'flood' reported progress that is not JSON of at most 65536 bytes"],
  [
    'function',
    'plugin.progress_invalid',
    "'function' reported progress that is not JSON of at most 65536 bytes",
  ],
] as const)('a handler that goes wrong: %s', async (capability, code, message) => {
  const { runner } = await running();
  await expect(runner.run(call(capability))).rejects.toMatchObject({ name: 'AppError', code, message });
});

test('a cycle is not JSON, and its place is told', async () => {
  const { runner } = await running();
  await expect(runner.run(call('cycle'))).rejects.toMatchObject({ code: 'plugin.output_not_json' });
});

test("a handler's own code and details reach the caller", async () => {
  const { runner } = await running();
  await expect(runner.run(call('fail'))).rejects.toMatchObject({
    retryable: true,
    details: { code: 'no_paper', tray: 2 },
  });
});

test('progress arrives in order, and none after the end', async () => {
  const { runner } = await running();
  const seen: unknown[] = [];
  await runner.run(call('progress', { progress: (value) => seen.push(value) }));
  expect(seen).toEqual([1, { done: 0.5 }]);
  await new Promise<void>((called) => {
    void runner.run(call('late', { input: { called }, progress: (value) => seen.push(value) }));
  });
  expect(seen).toHaveLength(2);
});

test('an aborted handler that stops is cancelled, with the reason', async () => {
  const { runner, clock } = await running();
  const controller = new AbortController();
  const result = runner.run(call('polite', { signal: controller.signal }));
  const reason = pluginError('deadline_exceeded', 'the deadline has come');
  controller.abort(reason);
  await expect(result).rejects.toMatchObject({ code: 'plugin.cancelled', cause: reason });
  expect(clock.timers).toBe(0);
});

test('what an aborted handler still returns in time counts', async () => {
  const { runner } = await running();
  const controller = new AbortController();
  const result = runner.run(call('hasty', { signal: controller.signal }));
  controller.abort();
  expect(await result).toBe('finished anyway');
});

test('a handler that ignores the signal is given up after the grace period, and not before', async () => {
  const { runner, clock } = await running();
  const controller = new AbortController();
  let settled = false;
  const result = runner.run(call('deaf', { signal: controller.signal })).finally(() => {
    settled = true;
  });
  controller.abort();
  clock.advance(499);
  await Promise.resolve();
  expect(settled).toBe(false);
  clock.advance(1);
  await expect(result).rejects.toMatchObject({ code: 'plugin.abort_ignored' });
});

test('nothing starts once it was aborted or its deadline is over', async () => {
  const { runner, clock } = await running();
  await expect(runner.run(call('keys', { signal: AbortSignal.abort() }))).rejects.toMatchObject({
    code: 'plugin.cancelled',
  });
  await expect(runner.run(call('keys', { deadline: clock.now() }))).rejects.toMatchObject({
    code: 'plugin.deadline_exceeded',
  });
});

test('stop refuses new runs and waits for those under way, at most the grace period', async () => {
  const { runner, clock } = await running();
  const controller = new AbortController();
  const result = runner.run(call('polite', { signal: controller.signal })).catch((error: unknown) => error);
  const stopped = runner.stop();
  await expect(runner.run(call('keys'))).rejects.toMatchObject({ code: 'plugin.stopped' });
  controller.abort();
  await Promise.all([stopped, result]);
  const stuck = await running();
  void stuck.runner.run(call('deaf'));
  const given = stuck.runner.stop();
  stuck.clock.advance(500);
  await given;
  expect(clock.timers).toBe(0);
});

test.each([
  ['throws', "throw new Error('no database');", 'can not be loaded: its code failed: no database'],
  ['is no JavaScript', 'export default {', 'can not be loaded: its code failed'],
  ['has no default export', 'export const plugin = 1;', 'no default export made by definePlugin'],
  ['lacks a handler', 'export default { capabilities: [] };', "no handler for 'keys'"],
])('an entry that %s fails to load', async (_, source, message) => {
  const { runner } = await started(new SimulatedClock(), source, ['keys']);
  await expect(runner.start()).rejects.toMatchObject({
    code: 'plugin.load_failed',
    message: expect.stringContaining(message),
  });
  await expect(runner.run(call('keys'))).rejects.toMatchObject({ code: 'plugin.not_started' });
});

test('an entry that never finishes loading is given up', async () => {
  const { runner, clock } = await started(new SimulatedClock(), 'await new Promise(() => {});', []);
  const result = runner.start();
  clock.advance(1_000);
  await expect(result).rejects.toMatchObject({ code: 'plugin.load_timeout' });
});
