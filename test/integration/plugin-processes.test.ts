import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import type { ControlPlaneClient } from '../../src/client/index.js';
import { sampleCapability, sampleManifest } from '../../src/plugins/testing/sample-manifest.js';
import { type BundledScript, scriptOnBuild } from '../support/child-program.js';
import { Cluster, type Program } from '../support/cluster.js';
import { processHost } from '../support/process-host.js';
import { isAlive } from '../support/processes.js';

// Real processes: palyrad, a node host with a plugin in a process of its own, and what that plugin starts.

let nodeChild: BundledScript;

/** The handlers of the plugin; each writes to the file that its input names. */
function code(build: string): string {
  return `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
const start = (script, options) => spawn(process.execPath, ['-e', script], { stdio: 'ignore', ...options }).pid;
const wait = 'setInterval(() => {}, 1000)';
const deaf = "process.on('SIGTERM', () => {});" + wait;
export default { capabilities: [
  { name: 'lab.build', handler: () => ({ build: '${build}', pid: process.pid }) },
  { name: 'lab.exit', handler: () => process.exit(4) },
  { name: 'lab.exit_again', handler: () => process.exit(4) },
  { name: 'lab.wait', handler: async ({ input, signal }) => {
    writeFileSync(input.file, 'started');
    await new Promise((ok) => {
      const timer = setInterval(() => {}, 1000);
      globalThis.finish = () => { clearInterval(timer); ok(); };
      signal.addEventListener('abort', globalThis.finish);
    });
    return { build: '${build}' };
  } },
  { name: 'lab.finish', handler: () => { globalThis.finish?.(); return { build: '${build}' }; } },
  { name: 'lab.family', handler: ({ input }) => {
    writeFileSync(input.file, JSON.stringify([process.pid, start(wait), start(deaf), start(wait, { detached: true }), start(deaf, { detached: true })]));
    return { build: '${build}' };
  } },
  { name: 'lab.loop', handler: ({ input }) => {
    writeFileSync(input.file, JSON.stringify([process.pid]));
    for (;;);
  } },
] };`;
}

const capability = (name: string, changes: object = {}) =>
  sampleCapability({ name, input: { type: 'object' }, output: { type: 'object' }, examples: [], ...changes });

const manifest = sampleManifest({
  name: 'lab',
  entry: 'index.js',
  isolation: 'process',
  permissions: { childProcesses: true, fileSystem: { read: ['/'], write: ['/'] } },
  capabilities: [
    capability('lab.build'),
    capability('lab.exit'),
    capability('lab.exit_again', { idempotent: true }),
    capability('lab.wait'),
    capability('lab.finish'),
    capability('lab.family'),
    capability('lab.loop', { timeout: '1m' }),
  ],
});

let cluster: Cluster;
let api: ControlPlaneClient;
let node: Program;
let plugins: string;

beforeAll(async () => {
  nodeChild = await scriptOnBuild(new URL('../support/node-child.ts', import.meta.url));
  cluster = new Cluster({ PALYRA_PLUGINS_ENABLED: 'lab' });
  plugins = join(cluster.directory, 'plugins');
  mkdirSync(join(plugins, 'lab'), { recursive: true });
  writeFileSync(join(plugins, 'lab', 'plugin.json'), JSON.stringify(manifest));
  writeFileSync(join(plugins, 'lab', 'index.js'), code('first'));
  await cluster.daemon();
  api = cluster.client();
  node = await cluster.approve(startNode(await cluster.mint()), 'worker');
}, 60_000);

afterAll(async () => {
  // Only a host that ends in order ends a process that computes without end.
  await node.kill('SIGTERM');
  await cluster.close();
  await nodeChild.remove();
});

function startNode(...joinString: string[]): Program {
  return cluster.run(nodeChild.path, [join(cluster.directory, 'node'), plugins, ...joinString]);
}

/** Starts the node host again, and waits until both sides say that it is there. */
async function startAgain(): Promise<void> {
  node = startNode();
  await node.event('connected');
  await expect.poll(async () => (await api.inventory()).devices[0]?.presence).toBe('online');
}

const file = (name: string): string => join(cluster.directory, name);

/** Runs a capability and returns how that ended. */
async function ask(name: string, input: object = {}) {
  return (await api.createDispatch({ node: 'worker', capability: name, input, wait: true })).outcome;
}

/** What `lab.build` says: which build runs, in which process. */
async function running(): Promise<{ readonly build: string; readonly pid: number }> {
  return (await ask('lab.build'))?.output as { readonly build: string; readonly pid: number };
}

/** The ids that a handler has written down, once it has. */
async function pidsIn(name: string): Promise<readonly number[]> {
  await expect.poll(() => existsSync(file(name)) && readFileSync(file(name), 'utf8') !== '').toBe(true);
  return JSON.parse(readFileSync(file(name), 'utf8')) as number[];
}

async function inInventory() {
  const { devices } = await api.inventory();
  return devices[0]?.capabilities.find((one) => one.capability === 'lab.build');
}

const buildInInventory = async () => (await inInventory())?.buildDigest;

describe('a plugin in a process of its own', () => {
  it('answers through daemon and node, from a process that is not the host', async () => {
    const { build, pid } = await running();
    expect(build).toBe('first');
    expect(pid).not.toBe(node.child.pid);
    expect(isAlive(pid)).toBe(true);
  });

  it('leaves the outcome open when it ends under work that may not be repeated, and fails other work', async () => {
    expect(await ask('lab.exit')).toMatchObject({
      state: 'outcome_unknown',
      reason: 'process_ended',
      error: { code: 'plugin.process_ended', message: expect.stringContaining('exited with code 4') },
    });
    expect(await ask('lab.exit_again')).toMatchObject({
      state: 'failed',
      error: { code: 'plugin.process_ended' },
    });
    expect(await ask('lab.build')).toMatchObject({ state: 'succeeded' });
  });

  it('is replaced while the node stays connected: new work runs in the new build, old work ends in the old one', async () => {
    const before = await buildInInventory();
    const messages = node.messages.length;
    const waiting = ask('lab.wait', { file: file('waits') });
    await expect.poll(() => existsSync(file('waits'))).toBe(true);
    const old = await running();
    writeFileSync(join(plugins, 'lab', 'index.js'), code('second'));
    node.child.kill('SIGUSR2');
    await node.event('replaced', messages);
    const next = await running();
    expect(next).toMatchObject({ build: 'second' });
    expect(next.pid).not.toBe(old.pid);
    await expect.poll(buildInInventory).not.toBe(before);
    expect(isAlive(old.pid)).toBe(true);
    const { dispatches } = await api.listDispatches({ state: ['running'] });
    await api.cancelDispatch(dispatches[0]?.id ?? '', 'enough');
    expect(await waiting).toMatchObject({ state: 'succeeded', output: { build: 'first' } });
    await expect.poll(() => isAlive(old.pid)).toBe(false);
    expect(node.messages.slice(messages).filter(({ event }) => event === 'disconnected')).toEqual([]);
  });

  it('ends with a host that is killed; what can not end by itself is ended by the next host before it connects', async () => {
    await ask('lab.family', { file: file('family') });
    const family = await pidsIn('family');
    expect(family.filter(isAlive)).toHaveLength(5);
    const [child = 0, plain = 0, deaf = 0] = family;
    await node.kill('SIGKILL');
    // The process hears the end of its pipe and takes its group with it.
    await expect.poll(() => [child, plain, deaf].filter(isAlive)).toEqual([]);
    expect(family.filter(isAlive)).toHaveLength(2);
    await startAgain();
    expect(family.filter(isAlive)).toEqual([]);

    await api.createDispatch({ node: 'worker', capability: 'lab.loop', input: { file: file('loop') } });
    const loop = await pidsIn('loop');
    await node.kill('SIGKILL');
    expect(loop.filter(isAlive)).toHaveLength(1);
    await startAgain();
    expect(loop.filter(isAlive)).toEqual([]);
  });

  it('is ended in order with a host that stops', async () => {
    const { pid } = await running();
    await node.kill('SIGTERM');
    expect(isAlive(pid)).toBe(false);
    await startAgain();
  });

  it('is disabled when it fails too often, which the inventory tells, until it is loaded again', async () => {
    expect((await inInventory())?.standing).toEqual({
      isolation: 'process',
      enforced: ['childProcesses', 'environment'],
    });
    for (let n = 0; n < 5; n++) await ask('lab.exit_again');
    await expect
      .poll(async () => (await inInventory())?.standing?.disabled)
      .toContain('it exited with code 4');
    expect(await ask('lab.build')).toMatchObject({ state: 'failed', error: { code: 'plugin.disabled' } });
    expect(node.messages.filter(({ event }) => event === 'plugin_disabled')).toHaveLength(1);
    node.child.kill('SIGUSR2');
    await node.event('replaced');
    expect(await running()).toMatchObject({ build: 'second' });
    await expect.poll(async () => (await inInventory())?.standing?.disabled).toBe(undefined);
  });
});

describe('a host that finds the record of a process', () => {
  const innocents: ChildProcess[] = [];

  afterAll(() => {
    for (const innocent of innocents) innocent.kill('SIGKILL');
  });

  it('never ends one that only has the same id by now', async () => {
    const innocent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true });
    innocents.push(innocent);
    const store = new MemoryStore();
    const tree = { pid: innocent.pid, startedAt: 'another boot/1', marker: 'f'.repeat(32) };
    await store.commit([
      {
        op: 'put',
        kind: 'plugin-process',
        id: tree.marker,
        expect: 0,
        state: 'running',
        owner: 'lab',
        createdAt: 0,
        updatedAt: 0,
        data: tree,
      },
    ]);
    const host = await processHost({ store });
    expect(isAlive(innocent.pid ?? 0)).toBe(true);
    expect((await store.list({ kind: 'plugin-process' })).records).toEqual([]);
    await host.close();
  });
});
