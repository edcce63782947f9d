import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writePlugin } from '../../test/support/plugin-folder.js';
import { createKernel } from '../kernel/kernel.js';
import { discoverPlugins } from '../plugins/discovery.js';
import type { ProcessPlugin } from '../plugins/plugin-loader.js';
import type { Runner } from '../plugins/runner.js';
import type { PluginStanding } from '../plugins/standing.js';
import { NodePlugins } from './node-plugins.js';
import { noRules } from './plugin-rules.js';

let root: string;
let plugins: NodePlugins;

const build = (number: number): string =>
  writePlugin(root, {
    name: 'lab',
    handler: `return { build: ${number} }`,
    manifest: { isolation: 'inline' },
  });
const source = (isolated: readonly string[] = []) => ({
  roots: [root],
  rules: { ...noRules, isolated: new Set(isolated) },
});

/** Stands for a plugin in a process of its own. */
let inProcess: { standing: PluginStanding }[];

function fakeRunner({ plugin }: ProcessPlugin): Runner {
  const runner = {
    plugin,
    standing: { isolation: 'process', enforced: [] } as PluginStanding,
    start: async () => undefined,
    run: async () => ({ build: 'in a process' }),
    stop: async () => undefined,
  };
  inProcess.push(runner);
  return runner;
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'palyra-node-plugins-'));
  inProcess = [];
  build(1);
  plugins = await NodePlugins.load({
    source: source(),
    services: { openUrl: async () => undefined },
    processes: { runner: fakeRunner },
    directory: createKernel().directory,
    report: () => undefined,
  });
});

afterEach(async () => {
  await plugins.host.stop();
  await rm(root, { recursive: true, force: true });
});

async function run(): Promise<unknown> {
  const [offered] = plugins.host.descriptors();
  const ignore = () => undefined;
  return plugins.host.execute({
    capability: 'lab.run',
    digest: offered?.digest ?? '',
    input: {},
    signal: new AbortController().signal,
    deadline: Number.MAX_SAFE_INTEGER,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    progress: ignore,
  });
}

const announcedBuild = (): string | undefined => plugins.announced()[0]?.buildDigest;

it.each([
  ['when it looks again', () => plugins.reload(source())],
  [
    'when it is replaced',
    async () => {
      const [found] = (await discoverPlugins([root])).plugins;
      if (found !== undefined) await plugins.replace(found);
    },
  ],
])('a daemon that is connected knows of a build before it runs, %s', async (_, change) => {
  plugins.lineStands(plugins.revision);
  const before = { revision: plugins.revision, build: announcedBuild() };
  build(2);
  const changed = change();
  await expect.poll(() => plugins.revision).toBeGreaterThan(before.revision);
  expect(announcedBuild()).not.toBe(before.build);
  expect(await run()).toEqual({ build: 1 });
  plugins.lineStands(plugins.revision);
  await changed;
  expect(await run()).toEqual({ build: 2 });
});

it('nobody is waited for while there is no line, or when it goes', async () => {
  build(2);
  await plugins.reload(source());
  expect(await run()).toEqual({ build: 2 });
  plugins.lineStands(plugins.revision);
  build(3);
  const changed = plugins.reload(source());
  await expect.poll(() => plugins.revision).toBe(2);
  expect(await run()).toEqual({ build: 2 });
  plugins.lineStands(undefined);
  await changed;
  expect(await run()).toEqual({ build: 3 });
});

it('what the daemon sets is taken over while a build waits to be known', async () => {
  plugins.lineStands(plugins.revision);
  build(2);
  const changed = plugins.reload(source());
  await expect.poll(() => plugins.revision).toBe(1);
  // A line comes about only after this.
  await plugins.given([]);
  plugins.lineStands(plugins.revision);
  await changed;
  expect(await run()).toEqual({ build: 2 });
});

it('a plugin gets a process of its own when the owner of the machine says so, and loses it again', async () => {
  await plugins.reload(source(['lab']));
  expect(await run()).toEqual({ build: 'in a process' });
  expect(plugins.announced()[0]?.standing?.isolation).toBe('process');
  await plugins.reload(source());
  expect(await run()).toEqual({ build: 1 });
});

it('another look starts a plugin anew that was disabled, and no other that has not changed', async () => {
  await plugins.reload(source(['lab']));
  await plugins.reload(source(['lab']));
  expect(inProcess).toHaveLength(1);
  for (const runner of inProcess) runner.standing = { ...runner.standing, disabled: 'it failed' };
  await plugins.reload(source(['lab']));
  expect(inProcess).toHaveLength(2);
  expect(plugins.announced()[0]?.standing?.disabled).toBe(undefined);
});
