import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { pluginError } from '../plugin-errors.js';
import type { RunCall, Runner } from '../runner.js';

/** What a runner of the contract is made for. */
export interface RunnerSpec {
  readonly entry: string;
  readonly capabilities: readonly string[];
  readonly clock: SimulatedClock;
  readonly graceMs: number;
  readonly loadMs: number;
}

/** A kind of runner under test. The plugin's name is `sample`. */
export interface RunnerKind {
  readonly name: string;
  make(spec: RunnerSpec): Runner | Promise<Runner>;
}

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
  late: '({ progress }) => { setTimeout(() => progress(1), 0); return null }',
  aWhile: '() => new Promise((ok) => setTimeout(() => ok(null), 20))',
  flood: "({ progress }) => { progress('x'.repeat(70000)); return null }",
  function: '({ progress }) => { progress(() => {}); return null }',
  log: "({ log }) => { log.debug('a'); log.info('b', { n: 1 }); log.warn('c'); log.error('d'); return null }",
  open: "async ({ host }) => { await host.openUrl('https://a.example/'); return 'opened' }",
  settings: '({ config }) => ({ config, frozen: Object.isFrozen(config) })',
};

export type SampleCapability = keyof typeof handlers;

/** The entry of a plugin with all of them. */
export const sampleCode = `export default { capabilities: [${Object.entries(handlers)
  .map(([name, code]) => `{ name: '${name}', handler: ${code} }`)
  .join(',\n')}] };`;
export const sampleCapabilities: readonly string[] = Object.keys(handlers);

export function sampleCall(capability: string, changes: Partial<RunCall> = {}): RunCall {
  const ignore = () => undefined;
  return {
    capability,
    input: { x: 1 },
    signal: new AbortController().signal,
    deadline: Number.MAX_SAFE_INTEGER,
    progress: ignore,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    config: Object.freeze({ unit: 'K' }),
    host: { openUrl: async () => undefined },
    ...changes,
  };
}

/** What every kind of runner does. */
export function runnerContract(kind: RunnerKind): void {
  let folder: string;
  const made: { readonly runner: Runner; readonly clock: SimulatedClock }[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'palyra-runner-'));
  });

  afterAll(async () => {
    for (const { runner, clock } of made) {
      const stopped = runner.stop();
      clock.advance(500);
      await stopped;
    }
    await rm(folder, { recursive: true, force: true });
  });

  async function loadable(source = sampleCode, capabilities = sampleCapabilities) {
    const entry = join(folder, `${crypto.randomUUID()}.mjs`);
    await writeFile(entry, source);
    const clock = new SimulatedClock();
    const runner = await kind.make({ entry, capabilities, clock, graceMs: 500, loadMs: 1_000 });
    made.push({ runner, clock });
    return { runner, clock };
  }

  async function running() {
    const parts = await loadable();
    await parts.runner.start();
    return parts;
  }

  const call = (capability: SampleCapability, changes?: Partial<RunCall>) => sampleCall(capability, changes);

  describe(`the ${kind.name} runner`, () => {
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
      [
        'flood',
        'plugin.progress_invalid',
        "'flood' reported progress that is not JSON of at most 65536 bytes",
      ],
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
      await runner.run(call('late', { progress: (value) => seen.push(value) }));
      await runner.run(call('aWhile'));
      expect(seen).toHaveLength(2);
    });

    test('an aborted handler that stops is cancelled, with the reason', async () => {
      const { runner, clock } = await running();
      const timers = clock.timers;
      const controller = new AbortController();
      const result = runner.run(call('polite', { signal: controller.signal }));
      const reason = pluginError('deadline_exceeded', 'the deadline has come');
      controller.abort(reason);
      await expect(result).rejects.toMatchObject({ code: 'plugin.cancelled', cause: reason });
      expect(clock.timers).toBe(timers);
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
        code: 'plugin.never_started',
      });
      await expect(runner.run(call('keys', { deadline: clock.now() }))).rejects.toMatchObject({
        code: 'plugin.deadline_exceeded',
      });
    });

    test('stop refuses new runs and waits for those under way, at most the grace period', async () => {
      const { runner, clock } = await running();
      const controller = new AbortController();
      const result = runner
        .run(call('polite', { signal: controller.signal }))
        .catch((error: unknown) => error);
      const stopped = runner.stop();
      await expect(runner.run(call('keys'))).rejects.toMatchObject({ code: 'plugin.stopped' });
      controller.abort();
      await Promise.all([stopped, result]);
      const stuck = await running();
      void stuck.runner.run(call('deaf')).catch(() => undefined);
      const given = stuck.runner.stop();
      stuck.clock.advance(500);
      await given;
      await runner.stop();
      expect([clock.timers, stuck.clock.timers]).toEqual([0, 0]);
    });

    test('what a handler logs reaches its log, with the fields', async () => {
      const { runner } = await running();
      const seen: unknown[] = [];
      const write = (level: string) => (message: string, fields?: object) =>
        seen.push([level, message, fields]);
      const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
      await runner.run(call('log', { log }));
      expect(seen).toEqual([
        ['debug', 'a', undefined],
        ['info', 'b', { n: 1 }],
        ['warn', 'c', undefined],
        ['error', 'd', undefined],
      ]);
    });

    test('what a handler asks of the node is answered, or fails as it did', async () => {
      const { runner } = await running();
      const opened: string[] = [];
      const openUrl = async (url: string): Promise<void> => void opened.push(url);
      expect(await runner.run(call('open', { host: { openUrl } }))).toBe('opened');
      expect(opened).toEqual(['https://a.example/']);
      const broken = { openUrl: () => Promise.reject(new Error('no browser')) };
      await expect(runner.run(call('open', { host: broken }))).rejects.toMatchObject({
        code: 'plugin.handler_crashed',
        message: "'open' failed unexpectedly: no browser",
      });
    });

    test('a handler gets the settings, frozen', async () => {
      const { runner } = await running();
      expect(await runner.run(call('settings'))).toEqual({ config: { unit: 'K' }, frozen: true });
    });

    test('many runs at a time end with their own results', async () => {
      const { runner } = await running();
      const inputs = Array.from({ length: 300 }, (_, n) => ({ n, text: 'x'.repeat(n * 40) }));
      expect(await Promise.all(inputs.map((input) => runner.run(call('later', { input }))))).toEqual(inputs);
    });

    test('a capability that the plugin does not have is refused', async () => {
      const { runner } = await running();
      await expect(runner.run(sampleCall('other'))).rejects.toMatchObject({
        code: 'plugin.unknown_capability',
      });
    });

    test.each([
      ['throws', "throw new Error('no database');", 'can not be loaded: its code failed: no database'],
      ['is no JavaScript', 'export default {', 'can not be loaded: its code failed'],
      ['has no default export', 'export const plugin = 1;', 'no default export made by definePlugin'],
      ['lacks a handler', 'export default { capabilities: [] };', "no handler for 'keys'"],
    ])('an entry that %s fails to load', async (_, source, message) => {
      const { runner } = await loadable(source, ['keys']);
      await expect(runner.start()).rejects.toMatchObject({
        code: 'plugin.load_failed',
        message: expect.stringContaining(message),
      });
    });

    test('an entry that never finishes loading is given up', async () => {
      const { runner, clock } = await loadable('await new Promise(() => {});', []);
      const result = runner.start();
      clock.advance(1_000);
      await expect(result).rejects.toMatchObject({ code: 'plugin.load_timeout' });
    });
  });
}
