import { readdirSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunCall, Runner } from '../../src/plugins/runner.js';
import { sampleCall } from '../../src/plugins/testing/runner-contract.js';
import { type ProcessHost, processHost } from '../support/process-host.js';
import { isAlive } from '../support/processes.js';

/*
 * What a bad handler can do to its own process, and what the host and other plugins notice of it: nothing but the failure of
 * its runs. Real processes; what is real time elsewhere is short here.
 */

const limits = { graceMs: 300, sampleMs: 50, samplesPerPing: 4, missedPings: 20, endMs: 500 } as const;

/** Each capability's handler, as JavaScript. */
const bad = {
  pid: '() => process.pid',
  sleep: '({ input }) => new Promise((ok) => setTimeout(() => ok("slept"), input.ms))',
  loop: '() => { for (;;); }',
  heap: '() => { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())); }',
  buffers:
    'async () => { const all = []; for (;;) { all.push(Buffer.alloc(8 << 20, 1)); await new Promise((ok) => setTimeout(ok, 5)); } }',
  exit: '() => process.exit(3)',
  suicide: "() => process.kill(process.pid, 'SIGKILL')",
  uncaught: "() => new Promise(() => setTimeout(() => { throw new Error('nobody catches this') }, 1))",
  deaf: '() => new Promise(() => {})',
  logs: "async ({ log, input }) => { for (let n = 0; n < input.n; n++) { log.info('line ' + n, { n }); if (n % 1000 === 0) await new Promise(setImmediate); } return 'all'; }",
  progress:
    "async ({ progress, input }) => { for (let n = 0; n < input.n; n++) { progress({ n }); if (n % 1000 === 0) await new Promise(setImmediate); } return 'all'; }",
  print:
    "async ({ input }) => { for (let n = 0; n < input.n; n++) { console.log('x'.repeat(1000)); if (n % 10 === 0) await new Promise(setImmediate); } return 'all'; }",
  family: `() => {
    const { spawn } = require('node:child_process');
    const start = (script, options) => spawn(process.execPath, ['-e', script], { stdio: 'ignore', ...options }).pid;
    const wait = 'setInterval(() => {}, 1000)';
    const deaf = "process.on('SIGTERM', () => {});" + wait;
    return { plain: start(wait), deaf: start(deaf), detached: start(wait, { detached: true }) };
  }`,
  environment: '() => ({ ...process.env })',
  folder: '() => process.cwd()',
  read: "({ input }) => require('node:fs').readFileSync(input.path, 'utf8').length",
  write: "({ input }) => { require('node:fs').writeFileSync(input.path, 'x'); return null; }",
  spawn: "() => { require('node:child_process').execFileSync('true'); return null; }",
  garbage: "() => { require('node:fs').writeSync(3, 'not a frame at all'); return new Promise(() => {}); }",
  forge: `() => {
    const text = JSON.stringify({ type: 'done', id: 99999, output: 1 });
    const head = Buffer.alloc(5); head.writeUInt32BE(text.length);
    require('node:fs').writeSync(3, Buffer.concat([head, Buffer.from(text)]));
    return new Promise(() => {});
  }`,
  large: "({ input }) => 'x'.repeat(input.bytes)",
} as const;

const source = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
export default { capabilities: [${Object.entries(bad)
  .map(([name, code]) => `{ name: '${name}', handler: ${code} }`)
  .join(',\n')}] };`;

const forProcesses = { permissions: { childProcesses: true, fileSystem: { read: ['/'] } } };

let folder: string;
let entry: string;
let host: ProcessHost;
let other: Runner;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palyra-bad-plugin-'));
  entry = join(folder, 'index.mjs');
  await writeFile(entry, source);
  host = await processHost({
    limits,
    environment: { PATH: '/bin', LANG: 'C', PALYRA_SECRET: 's', HOME: '/root' },
  });
  other = host.runner(entry, Object.keys(bad), { plugin: 'other' });
  await other.start();
});

/** For each bad handler: the longest that this event loop and a call of another plugin were late, milliseconds. */
const delays: string[] = [];
const started: Runner[] = [];

afterEach(async () => {
  for (const runner of started.splice(0)) await runner.stop();
});

afterAll(async () => {
  console.info(`late by at most, event loop/other plugin, ms: ${delays.join(', ')}`);
  await host.close();
  await rm(folder, { recursive: true, force: true });
});

function bring(more: Parameters<ProcessHost['runner']>[2] = {}): Runner {
  const runner = host.runner(entry, Object.keys(bad), more);
  started.push(runner);
  return runner;
}

const call = (capability: keyof typeof bad, input: unknown = {}, changes: Partial<RunCall> = {}) =>
  sampleCall(capability, { input, ...changes });

/** Runs `work`, and measures meanwhile how long this event loop and another plugin keep whoever asks waiting. */
async function whileWatching<T>(
  work: Promise<T>,
): Promise<{ outcome: T; worstLoop: number; worstCall: number }> {
  let isOver = false;
  let worstLoop = 0;
  let worstCall = 0;
  const watchLoop = async () => {
    while (!isOver) {
      const before = performance.now();
      await new Promise((ok) => setTimeout(ok, 5));
      worstLoop = Math.max(worstLoop, performance.now() - before - 5);
    }
  };
  const watchCalls = async () => {
    while (!isOver) {
      const before = performance.now();
      await other.run(call('pid'));
      worstCall = Math.max(worstCall, performance.now() - before);
      await new Promise((ok) => setTimeout(ok, 5));
    }
  };
  const watching = [watchLoop(), watchCalls()];
  const outcome = await work.finally(() => {
    isOver = true;
  });
  await Promise.all(watching);
  return { outcome, worstLoop, worstCall };
}

/** Far below the seconds after which a heartbeat counts as late, and far above what busy cores cost. */
const bearableMs = 1_000;

describe('a handler that goes wrong ends with its process, and nobody else notices', () => {
  test.each([
    ['loop', 'it did not give its event loop back for 4000 ms'],
    ['buffers', 'MiB of memory'],
    ['exit', 'it exited with code 3'],
    ['suicide', 'it was ended by SIGKILL'],
    ['uncaught', 'it exited with code 1'],
    ['garbage', 'it broke the protocol'],
    ['forge', 'it ended a run that is not under way'],
  ] as const)('%s', async (capability, why) => {
    const runner = bring(forProcesses);
    const pid = await runner.run(call('pid'));
    const bystander = runner.run(call('deaf')).catch((error: unknown) => error);
    const { outcome, worstLoop, worstCall } = await whileWatching(
      runner.run(call(capability)).catch((error: unknown) => error),
    );
    expect(outcome).toMatchObject({ code: 'plugin.process_ended', message: expect.stringContaining(why) });
    expect(await bystander).toMatchObject({ code: 'plugin.process_ended' });
    expect(isAlive(Number(pid))).toBe(false);
    expect(worstLoop).toBeLessThan(bearableMs);
    expect(worstCall).toBeLessThan(bearableMs);
    delays.push(`${capability} ${Math.round(worstLoop)}/${Math.round(worstCall)}`);
    // Another process takes the next run.
    expect(await runner.run(call('pid'))).not.toBe(pid);
  });

  test('a heap that grows without end is ended by V8 itself', async () => {
    const small = await processHost({ limits: { ...limits, heapMb: 32, missedPings: 100 } });
    const runner = small.runner(entry, Object.keys(bad));
    await expect(runner.run(call('heap'))).rejects.toMatchObject({
      code: 'plugin.process_ended',
      message: expect.stringMatching(/SIGABRT|code 134|SIGTRAP|code 5/),
    });
    await small.close();
  });

  test('what ignores its cancellation is ended after the grace period; other runs in the process fail truthfully', async () => {
    const runner = bring();
    const pid = Number(await runner.run(call('pid')));
    const controller = new AbortController();
    const bystander = runner.run(call('sleep', { ms: 60_000 })).catch((error: unknown) => error);
    const deaf = runner.run(call('deaf', {}, { signal: controller.signal }));
    controller.abort(new Error('the operator wants it no more'));
    await expect(deaf).rejects.toMatchObject({ code: 'plugin.abort_ignored' });
    expect(await bystander).toMatchObject({
      code: 'plugin.process_ended',
      message: expect.stringContaining("'deaf' went on for 300 ms after it was told to stop"),
    });
    expect(isAlive(pid)).toBe(false);
  });

  test('a loop is cancelled too, although it hears nothing', async () => {
    const runner = bring();
    await runner.start();
    const loop = runner.run(call('loop', {}, { signal: AbortSignal.timeout(200) }));
    await expect(loop).rejects.toMatchObject({ code: 'plugin.abort_ignored' });
  });
});

test('what a process says last, such as why it crashed, is in the log', async () => {
  const runner = bring();
  await expect(runner.run(call('uncaught'))).rejects.toMatchObject({ code: 'plugin.process_ended' });
  expect(host.lines.some(({ message }) => message.includes('nobody catches this'))).toBe(true);
});

describe('a flood', () => {
  test('of logs is cut and counted; the run goes on', async () => {
    const runner = bring();
    const seen: string[] = [];
    const take = (message: string): void => void seen.push(message);
    const log = { debug: take, info: take, warn: take, error: take };
    const { outcome, worstLoop, worstCall } = await whileWatching(
      runner.run(call('logs', { n: 200_000 }, { log })),
    );
    expect(outcome).toBe('all');
    expect(seen.length).toBeGreaterThanOrEqual(1_000);
    expect(seen.length).toBeLessThan(10_000);
    expect([worstLoop, worstCall].every((ms) => ms < bearableMs)).toBe(true);
    delays.push(`logs ${Math.round(worstLoop)}/${Math.round(worstCall)}`);
    await expect
      .poll(() => host.lines.filter(({ message }) => message.startsWith('Left out')).length)
      .toBeGreaterThan(0);
  });

  test('of progress is cut and counted; the run succeeds', async () => {
    const runner = bring();
    let seen = 0;
    let counted = 0;
    const progress = (_value: unknown, skipped = 0): void => {
      seen += 1;
      counted += skipped + 1;
    };
    const { outcome, worstLoop, worstCall } = await whileWatching(
      runner.run(call('progress', { n: 300_000 }, { progress })),
    );
    expect(outcome).toBe('all');
    // What was left out shows in the numbers of what was not.
    expect(counted).toBeGreaterThan(seen);
    expect(counted).toBeLessThanOrEqual(300_000);
    expect(seen).toBeGreaterThanOrEqual(2_000);
    expect(seen).toBeLessThan(50_000);
    expect([worstLoop, worstCall].every((ms) => ms < bearableMs)).toBe(true);
    delays.push(`progress ${Math.round(worstLoop)}/${Math.round(worstCall)}`);
  });

  test('of printed lines is read no faster than may be', async () => {
    const runner = bring();
    const before = host.lines.length;
    const { outcome, worstLoop } = await whileWatching(runner.run(call('print', { n: 1_500 })));
    expect(outcome).toBe('all');
    await expect.poll(() => host.lines.length - before).toBeGreaterThanOrEqual(900);
    expect(worstLoop).toBeLessThan(bearableMs);
  });

  test('of output fails with the size', async () => {
    const runner = bring();
    await expect(runner.run(call('large', { bytes: 2 << 20 }))).rejects.toMatchObject({
      code: 'plugin.output_too_large',
    });
    expect(await runner.run(call('large', { bytes: 1 << 19 }))).toHaveLength(1 << 19);
  });
});

describe('everything that a handler has started', () => {
  test.each(['exit', 'stop'] as const)('is ended with its process: %s', async (how) => {
    const runner = bring(forProcesses);
    const family = (await runner.run(call('family'))) as Record<string, number>;
    const pids = Object.values(family);
    expect(pids.filter(isAlive)).toHaveLength(3);
    if (how === 'exit') await runner.run(call('exit')).catch(() => undefined);
    else await runner.stop();
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('leaves nothing behind: no process, no file descriptor, no timer, no record', async () => {
    const own = await processHost({ limits });
    const descriptors = readdirSync('/proc/self/fd').length;
    const runner = own.runner(entry, Object.keys(bad), forProcesses);
    for (let n = 0; n < 3; n++) await runner.run(call('exit')).catch(() => undefined);
    await runner.run(call('family'));
    await runner.stop();
    await expect.poll(() => readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(descriptors);
    expect(own.kernel.deadlines.size).toBe(0);
    await expect.poll(async () => (await own.store.list({ kind: 'plugin-process' })).records).toEqual([]);
    await own.close();
  });
});

describe('a host', () => {
  test('refuses more runs than may wait, at once, and takes new ones when some have ended', async () => {
    const runner = bring();
    const runs = Array.from({ length: 1_024 }, () => runner.run(call('sleep', { ms: 50 })));
    await expect(runner.run(call('pid'))).rejects.toMatchObject({ code: 'plugin.busy', retryable: true });
    await Promise.all(runs);
    expect(await runner.run(call('pid'))).toBeGreaterThan(1);
  });

  test('fails the runs of a process that can not even be started, and tries again with the next', async () => {
    const own = await processHost({ limits });
    await writeFile(join(own.folder, 'state'), 'where its folders should be');
    const runner = own.runner(entry, Object.keys(bad));
    await expect(runner.run(call('pid'))).rejects.toMatchObject({
      code: 'plugin.process_ended',
      message: expect.stringContaining('it could not be started: ENOTDIR'),
    });
    await rm(join(own.folder, 'state'));
    expect(await runner.run(call('pid'))).toBeGreaterThan(1);
    await own.close();
  });

  test('that stops ends a process that computes without end', async () => {
    const own = await processHost({ limits });
    const runner = own.runner(entry, Object.keys(bad));
    const pid = Number(await runner.run(call('pid')));
    const loop = runner.run(call('loop')).catch((error: unknown) => error);
    await own.close();
    expect(isAlive(pid)).toBe(false);
    expect(await loop).toMatchObject({ code: 'plugin.stopped' });
  });
});

describe('a plugin that fails too often', () => {
  test('is disabled with the reason', async () => {
    const runner = bring();
    for (let n = 0; n < 5; n++) {
      await expect(runner.run(call('exit'))).rejects.toMatchObject({ code: 'plugin.process_ended' });
    }
    await vi.waitFor(() =>
      expect(runner.run(call('pid'))).rejects.toMatchObject({
        code: 'plugin.disabled',
        message: expect.stringContaining('it exited with code 3'),
      }),
    );
    expect(host.disabled).toHaveLength(1);
    expect(runner.standing.disabled).toContain('it failed 5 times in 5 minutes');
    // A new build, or the same one loaded again, starts from zero.
    expect(await bring().run(call('pid'))).toBeGreaterThan(1);
  });
});

describe('what a process may', () => {
  test('sees no variable that it has no permission for, and never ours', async () => {
    const permissions = { environment: ['LANG', 'MISSING', 'PALYRA_SECRET', 'NODE_OPTIONS'] };
    const environment = (await bring({ permissions }).run(call('environment'))) as Record<string, string>;
    expect(Object.keys(environment).sort()).toEqual(['LANG', 'PALYRA_PLUGIN_PROCESS']);
  });

  test('works in a folder of its own, which only its user may read', async () => {
    const path = String(await bring().run(call('folder')));
    expect(path.startsWith(host.folder)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  test('reads, writes and starts what its permissions say, where this Node can hold it to that', async () => {
    const plain = bring();
    expect(plain.standing).toEqual({
      isolation: 'process',
      enforced: ['fileSystem', 'childProcesses', 'environment'],
    });
    const denied = {
      code: 'plugin.handler_crashed',
      message: expect.stringContaining('Access to this API has been restricted'),
    };
    await expect(plain.run(call('read', { path: '/etc/hostname' }))).rejects.toMatchObject(denied);
    await expect(plain.run(call('write', { path: join(folder, 'x') }))).rejects.toMatchObject(denied);
    await expect(plain.run(call('spawn'))).rejects.toMatchObject(denied);
    expect(await plain.run(call('write', { path: 'own' }))).toBe(null);
    expect(await plain.run(call('read', { path: entry }))).toBe(source.length);
    const permissions = { fileSystem: { read: ['/etc/hostname'] }, childProcesses: true };
    const allowed = bring({ permissions });
    expect(await allowed.run(call('read', { path: '/etc/hostname' }))).toBeGreaterThan(0);
    expect(await allowed.run(call('spawn'))).toBe(null);
  });

  test('runs no other code than was announced', async () => {
    const changed = join(folder, 'changed.mjs');
    await writeFile(changed, source);
    const runner = host.runner(changed, ['pid']);
    started.push(runner);
    await writeFile(changed, `${source}\n// another build`);
    await expect(runner.run(call('pid'))).rejects.toMatchObject({ code: 'plugin.build_changed' });
  });

  test('fails clearly when its program speaks another protocol', async () => {
    const program = join(folder, 'other-program.mjs');
    await writeFile(
      program,
      `import { Socket } from 'node:net';
       const pipe = new Socket({ fd: 3, readable: true, writable: true });
       pipe.once('data', () => {
         const text = JSON.stringify({ type: 'ready', protocol: 99, plugin: 'sample', build: 'b', capabilities: [] });
         const head = Buffer.alloc(5); head.writeUInt32BE(text.length);
         pipe.write(Buffer.concat([head, Buffer.from(text)]));
       });`,
    );
    const own = await processHost({ limits, program });
    await expect(own.runner(entry, ['pid']).start()).rejects.toMatchObject({
      code: 'plugin.process_protocol',
      message: expect.stringContaining('protocol 99'),
    });
    await own.close();
  });
});
