import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ControlPlaneClient, Dispatch } from '../../src/client/index.js';
import { runLimits } from '../../src/plugins/runner.js';
import { type BundledScript, scriptOnBuild } from '../support/child-program.js';
import { Cluster, type Program } from '../support/cluster.js';
import { writePlugin } from '../support/plugin-folder.js';
import { groupOf, isAlive } from '../support/processes.js';

// Real processes: palyrad, a node host with plugins in processes of their own, what those start, and the command that ends it.

vi.setConfig({ testTimeout: 60_000 });

/** How many processes a handler of each kind is. Each kind has a plugin of its own. */
const processes = { listen: 1, sleep: 1, spin: 1, family: 7 } as const;
/** How long each may run, milliseconds: long enough for all that it is to have started. */
const deadlines = { listen: 2_500, sleep: 2_500, spin: 2_500, family: 8_000 } as const;
type Mode = keyof typeof processes;
const modes = Object.keys(processes) as Mode[];

/** Writes down the ids of all processes that it is, then goes on for ever, each mode in its own way. */
const handler = `
  const wait = 'setInterval(() => {}, 1000)';
  const deaf = "process.on('SIGTERM', () => {});" + wait;
  const parent = (script, options) => "const { spawn } = require('node:child_process');"
    + "const { pid } = spawn(process.execPath, ['-e', " + JSON.stringify(script) + "], " + JSON.stringify(options) + ");"
    + "process.stdout.write(pid + '\\\\n');" + wait;
  const family = async (script, options) => {
    const child = spawn(process.execPath, ['-e', parent(script, options)], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = await once(child.stdout, 'data');
    return [child.pid, Number(String(line))];
  };
  const pids = [process.pid];
  if (input.mode === 'family') {
    pids.push(...await family(wait, { stdio: 'ignore' }));
    pids.push(...await family(deaf, { stdio: 'ignore' }));
    pids.push(...await family(deaf, { stdio: 'ignore', detached: true }));
  }
  writeFileSync(input.file, JSON.stringify(pids));
  if (input.mode === 'warm') return {};
  if (input.mode === 'spin') while (true);
  await new Promise((ok) => {
    const timer = setTimeout(ok, 3_600_000);
    if (input.mode === 'listen') signal.addEventListener('abort', () => { clearTimeout(timer); ok(); });
  });`;
const onLoad = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';`;

let nodeChild: BundledScript;
let cluster: Cluster;
let api: ControlPlaneClient;
let node: Program;

beforeAll(async () => {
  nodeChild = await scriptOnBuild(new URL('../support/node-child.ts', import.meta.url));
  cluster = new Cluster({ PALYRA_PLUGINS_ENABLED: modes.join() });
  const plugins = join(cluster.directory, 'plugins');
  mkdirSync(plugins);
  const permissions = { childProcesses: true, fileSystem: { read: ['/'], write: ['/'] } };
  const capability = { idempotent: false, timeout: '10m', concurrency: 1 };
  for (const name of modes) {
    writePlugin(plugins, { name, handler, onLoad, manifest: { permissions }, capability });
  }
  await cluster.daemon();
  api = cluster.client();
  const started = cluster.run(nodeChild.path, [
    join(cluster.directory, 'node'),
    plugins,
    await cluster.mint(),
  ]);
  node = await cluster.approve(started, 'worker');
}, 60_000);

afterAll(async () => {
  await node.kill('SIGTERM');
  await cluster.close();
  await nodeChild.remove();
});

const fileOf = (name: string): string => join(cluster.directory, name);

/** The ids that a handler has written down, once it has. */
async function pidsIn(name: string): Promise<readonly number[]> {
  const file = fileOf(name);
  await expect
    .poll(() => existsSync(file) && readFileSync(file, 'utf8') !== '', { timeout: 30_000 })
    .toBe(true);
  return JSON.parse(readFileSync(file, 'utf8')) as number[];
}

async function ask(
  mode: Mode,
  file: string,
  { timeoutMs = 600_000, how = mode }: { readonly timeoutMs?: number; readonly how?: string } = {},
): Promise<Dispatch> {
  const input = { mode: how, file: fileOf(file) };
  return api.createDispatch({ node: 'worker', capability: `${mode}.run`, input, timeoutMs });
}

const until = (id: string, state: Dispatch['state']) =>
  expect.poll(async () => (await api.getDispatch(id)).state, { timeout: 30_000 }).toBe(state);

/** Milliseconds from one step of a dispatch to another, by the clock of the daemon. */
function between({ steps }: Dispatch, from: string, to: string): number {
  const at = (name: string): number => Date.parse(steps.find((step) => step.to === name)?.at ?? '');
  return at(to) - at(from);
}

/** What is left of these processes, and in the group of the first. */
function leftOf(pids: readonly number[]): readonly number[] {
  return [...pids.filter(isAlive), ...groupOf(pids[0] ?? 0)];
}

it('what sleeps, computes without end or has children is cancelled from the command line, and gone', async () => {
  const asked = await Promise.all(modes.map((mode) => ask(mode, `cancel-${mode}`)));
  const pids = await Promise.all(modes.map((mode) => pidsIn(`cancel-${mode}`)));
  for (const [at, mode] of modes.entries()) expect(pids[at]?.filter(isAlive)).toHaveLength(processes[mode]);
  await Promise.all(asked.map(({ id }) => until(id, 'running')));
  const ids = asked.map(({ id }) => id);
  const cancel = ['dispatches', 'cancel', ...ids, '--reason', 'enough', '--wait', '30s', '--json'];
  const command = await cluster.palyra(cancel);
  // What obeys leaves its process to others; what does not takes it along, and with it all that it has started.
  for (const [at, mode] of modes.entries()) if (mode !== 'listen') expect(leftOf(pids[at] ?? [])).toEqual([]);
  const { dispatches } = command.json<{ readonly dispatches: readonly Dispatch[] }>();
  for (const [at, mode] of modes.entries()) {
    const dispatch = dispatches[at];
    if (dispatch === undefined || dispatch.id !== ids[at]) throw new Error(command.stdout + command.stderr);
    expect(dispatch.steps.map(({ to }) => to).slice(-4)).toEqual([
      'running',
      'cancel_requested',
      'stopping',
      'cancelled',
    ]);
    console.log(
      `${mode}: acknowledged by the node after ${between(dispatch, 'cancel_requested', 'stopping')} ms, gone ${between(dispatch, 'stopping', 'cancelled')} ms later (grace ${runLimits.graceMs} ms), ${processes[mode]} processes`,
    );
  }
  expect(command.code).toBe(0);
});

it('the deadline ends what sleeps, computes without end or has children, with its processes', async () => {
  const deaf = modes.filter((mode) => mode !== 'listen');
  // Of their time, none goes by for the start of a process, and one that computes is found out as hung only after it.
  const warm = await Promise.all(deaf.map((mode) => ask(mode, `warm-${mode}`, { how: 'warm' })));
  for (const { id } of warm) await until(id, 'succeeded');
  const asked = await Promise.all(
    deaf.map((mode) => ask(mode, `overdue-${mode}`, { timeoutMs: deadlines[mode] })),
  );
  const pids = await Promise.all(deaf.map((mode) => pidsIn(`overdue-${mode}`)));
  for (const [at, mode] of deaf.entries()) {
    const { id } = asked[at] ?? { id: '' };
    await until(id, 'timed_out');
    expect(leftOf(pids[at] ?? [])).toEqual([]);
    const dispatch = await api.getDispatch(id);
    expect(dispatch.outcome).toMatchObject({ started: true });
    console.log(
      `${mode}: gone ${between(dispatch, 'running', 'timed_out')} ms after its start, with a deadline of ${deadlines[mode]} ms`,
    );
  }
});

it('what waits for its turn is cancelled, or expires there, and is never started', async () => {
  const first = await ask('listen', 'first');
  await pidsIn('first');
  const second = await ask('listen', 'second');
  const input = { mode: 'listen', file: fileOf('third') };
  const third = api.createDispatch({
    node: 'worker',
    capability: 'listen.run',
    input,
    wait: true,
    timeoutMs: 500,
  });
  expect(await third).toMatchObject({ state: 'expired', outcome: { started: false } });
  expect((await api.getDispatch(second.id)).state).toBe('queued');
  const { stdout } = await cluster.palyra(['dispatches', 'cancel', second.id, '--wait', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    dispatches: [{ state: 'cancelled', outcome: { started: false } }],
  });
  await api.cancelDispatch(first.id);
  await until(first.id, 'cancelled');
  // The turn that they waited for has come and went to one that was asked for after them.
  const last = await ask('listen', 'last');
  await pidsIn('last');
  expect(['second', 'third'].filter((name) => existsSync(fileOf(name)))).toEqual([]);
  await api.cancelDispatch(last.id);
  await until(last.id, 'cancelled');
});
