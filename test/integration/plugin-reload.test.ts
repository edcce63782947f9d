import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, type Message, type Program } from '../support/cluster.js';
import { writePlugin } from '../support/plugin-folder.js';

/*
 * A changed configuration is taken over by a daemon and a node host that run: real processes, signals and files.
 */

let cluster: Cluster;
let daemon: Program;
let node: Program;
let plugins: string;

const configs = (): string => join(cluster.directory, 'config', 'palyra');

/** What palyra.yaml says of plugins. */
function configureDaemon(plugins: object): void {
  writeFileSync(join(configs(), 'palyra.yaml'), JSON.stringify({ plugins }));
}

function configureNode(plugins: object): void {
  writeFileSync(join(configs(), 'palyra-node.yaml'), JSON.stringify({ plugins }));
}

const enabled = ['echo', 'system-health', 'lab'];

beforeAll(async () => {
  cluster = new Cluster();
  mkdirSync(configs(), { recursive: true });
  plugins = join(cluster.directory, 'plugins');
  mkdirSync(plugins, { mode: 0o755 });
  writePlugin(plugins, {
    name: 'lab',
    handler: 'await new Promise((ok) => setTimeout(ok, input.ms ?? 0)); return { config, build: 1 }',
    manifest: {
      config: {
        type: 'object',
        properties: { greeting: { type: 'string' }, limit: { type: 'integer' } },
        additionalProperties: false,
      },
    },
  });
  configureDaemon({ paths: [plugins], enabled, settings: { lab: { greeting: 'one', limit: 1 } } });
  configureNode({ paths: [plugins], settings: { lab: { limit: 7 } } });
  daemon = await cluster.daemon();
  node = await cluster.pairedNode();
});
afterAll(() => cluster.close());

async function output(input: object, capability = 'lab.run'): Promise<unknown> {
  const request = { node: 'worker', capability, input, wait: true };
  const { state, outcome } = await cluster.client().createDispatch(request);
  if (state !== 'succeeded') throw new Error(`${state}: ${outcome?.error?.message}`);
  return outcome?.output;
}

/** The code of the error with which a dispatch is refused at once. */
async function refusal(capability: string): Promise<unknown> {
  return output({}, capability).then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}

const statesOf = async (): Promise<Record<string, string>> => {
  const { plugins: all } = await cluster.client().listPlugins();
  return Object.fromEntries(all.map(({ plugin, state }) => [plugin, state]));
};

const sessions = (): number => node.messages.filter(({ event }) => event === 'connected').length;

describe('a configuration that changes while everything runs', () => {
  it('begins as it stands: what the daemon sets reaches the handler, and the owner of the machine has the last word', async () => {
    expect(await output({})).toEqual({ config: { greeting: 'one', limit: 7 }, build: 1 });
    expect(await statesOf()).toMatchObject({ echo: 'loaded', lab: 'loaded', 'desktop-open-url': 'disabled' });
    const { plugins: shown } = (await cluster.palyra(['plugins', 'show', 'lab', '--json'])).json<{
      plugins: readonly Message[];
    }>();
    expect(shown).toMatchObject([
      {
        folder: join(plugins, 'lab'),
        isolation: 'process',
        buildDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  it('is taken over by the daemon without a new session; what is under way ends as it began', async () => {
    const before = sessions();
    const from = node.messages.length;
    const running = output({ ms: 1_500 });
    await expect
      .poll(async () => (await cluster.client().listDispatches({ state: ['running'] })).dispatches.length)
      .toBe(1);
    configureDaemon({
      paths: [plugins],
      enabled: ['echo', 'lab', 'printer'],
      settings: { lab: { greeting: 'two' } },
    });
    const reload = await cluster.palyra(['plugins', 'reload', '--json']);
    expect(reload.code).toBe(0);
    const told = await node.event('surface', from);
    expect(told.capabilities).toContainEqual({ capability: 'system.health', status: 'not_enabled' });
    expect(await statesOf()).toMatchObject({ 'system-health': 'disabled', printer: 'not_installed' });
    expect(await running).toEqual({ config: { greeting: 'one', limit: 7 }, build: 1 });
    await expect.poll(() => output({})).toEqual({ config: { greeting: 'two', limit: 7 }, build: 1 });
    expect(await refusal('system.health')).toBe('dispatch.not_approved');
    expect(sessions()).toBe(before);
  });

  it.each<[string, string, RegExp]>([
    ['that is no YAML', 'plugins: {', /palyra\.yaml:1/],
    [
      'with a misspelt key',
      'plugins:\n  enabeld: [echo]\n',
      /palyra\.yaml:2:3: \/plugins\/enabeld.*Did you mean 'enabled'/s,
    ],
    [
      'with settings that their plugin refuses',
      'plugins:\n  paths: [ROOT]\n  enabled: [lab]\n  settings:\n    lab: { limit: many }\n',
      /palyra\.yaml:5:\d+: \/plugins\/settings\/lab\/limit/,
    ],
    [
      'with settings of a plugin that nobody knows',
      'plugins:\n  paths: [ROOT]\n  enabled: [echo]\n  settings: { labb: {} }\n',
      /\/plugins\/settings\/labb.*Did you mean 'lab'/s,
    ],
  ])('%s is refused with the place, and the old one stays', async (_why, yaml, place) => {
    writeFileSync(join(configs(), 'palyra.yaml'), yaml.replace('ROOT', plugins));
    const reload = await cluster.palyra(['plugins', 'reload']);
    expect(reload.code).toBe(2);
    expect(reload.stderr).toMatch(place);
    expect(await statesOf()).toMatchObject({ echo: 'loaded', lab: 'loaded' });
    expect(await output({})).toEqual({ config: { greeting: 'two', limit: 7 }, build: 1 });
  });

  it('is taken over on SIGHUP too, and what needs a restart is named', async () => {
    writeFileSync(
      join(configs(), 'palyra.yaml'),
      JSON.stringify({ plugins: { paths: [plugins], enabled }, session: { heartbeat: '5s' } }),
    );
    daemon.child.kill('SIGHUP');
    await expect.poll(statesOf).toMatchObject({ 'system-health': 'loaded' });
    const { restartNeeded } = (await cluster.palyra(['plugins', 'reload', '--json'])).json<{
      restartNeeded: readonly string[];
    }>();
    expect(restartNeeded).toEqual(['/session/heartbeat']);
    await expect.poll(() => output({})).toEqual({ config: { limit: 7 }, build: 1 });
  });

  it('is taken over by the node host on SIGHUP: it only takes away, and gives back', async () => {
    const hangUp = async (): Promise<Message> => {
      const from = node.messages.length;
      node.child.kill('SIGHUP');
      return node.message(({ event }) => event === 'plugins' || event === 'reload_refused', from);
    };
    configureNode({ paths: [plugins], disabled: ['lab'] });
    expect((await hangUp()).capabilities).toEqual(['desktop.open_url', 'echo', 'system.health']);
    await expect.poll(() => refusal('lab.run')).toBe('dispatch.unknown_capability');
    configureNode({ paths: [plugins], settings: { lab: { limit: 'many' } } });
    expect(await hangUp()).toMatchObject({
      event: 'reload_refused',
      error: { code: 'node.bad_settings', fields: [{ field: '/plugins/settings/lab/limit' }] },
    });
    configureNode({ paths: [plugins], settings: { lab: { limit: 8 } } });
    expect((await hangUp()).capabilities).toContain('lab.run');
    await expect.poll(() => output({})).toEqual({ config: { limit: 8 }, build: 1 });
  });

  it('keeps a plugin going by its own settings when the daemon sets what this version does not know', async () => {
    // The daemon has no copy of the plugin, so it can't check.
    configureDaemon({ paths: [], enabled, settings: { lab: { colour: 'red' } } });
    const from = node.messages.length;
    expect((await cluster.palyra(['plugins', 'reload', '--json'])).code).toBe(0);
    const { quarantined } = await node.event('plugins', from);
    expect(JSON.stringify(quarantined)).toContain('does not accept what the daemon sets for it');
    expect(await output({})).toEqual({ config: { limit: 8 }, build: 1 });
  });

  it('brings a new build of a plugin, which is announced on the way', async () => {
    writePlugin(plugins, { name: 'lab', handler: 'return { build: 2 }', manifest: { version: '2.0.0' } });
    configureNode({ paths: [plugins] });
    node.child.kill('SIGHUP');
    await expect.poll(() => output({})).toEqual({ build: 2 });
  });

  it.each([
    ['does not load', { handler: 'return 3', onLoad: 'throw new Error("not today");' }, /not today/],
    ['stands broken on the disk', { handler: 'return 3', manifest: { entry: '../lab.js' } }, /\/entry/],
  ])(
    'leaves the build that runs in place when the next one %s, and says why',
    async (_why, next, problem) => {
      writePlugin(plugins, { name: 'lab', ...next });
      const from = node.messages.length;
      node.child.kill('SIGHUP');
      const { quarantined } = await node.event('plugins', from);
      expect(JSON.stringify(quarantined)).toMatch(problem);
      expect(await output({})).toEqual({ build: 2 });
    },
  );
});

it('lists what a machine would load without a daemon', async () => {
  writePlugin(plugins, { name: 'lab' });
  configureNode({ paths: [plugins], disabled: ['lab'], settings: { echo: { loud: true } } });
  const { plugins: found } = (await cluster.palyra(['plugins', 'list', '--local', '--json'])).json<{
    plugins: readonly Message[];
  }>();
  expect(found).toMatchObject([
    { plugin: 'desktop-open-url', state: 'loaded' },
    { plugin: 'echo', state: 'quarantined', fault: { pointer: '/plugins/settings/echo/loud' } },
    { plugin: 'lab', state: 'disabled' },
    { plugin: 'system-health', state: 'loaded' },
  ]);
});
