import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordingOpener } from '../adapters/os/opener.js';
import { discoverPlugins } from './discovery.js';
import { type Execution, PluginHost, type PluginHostOptions } from './plugin-host.js';
import { sampleCapability, sampleManifest } from './testing/sample-manifest.js';
import { ValidatorCache } from './validators.js';

const repository = join(import.meta.dirname, '..', '..');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palyra-host-'));
  await promisify(execFile)(process.execPath, ['scripts/build-plugins.mjs', '--bundle'], { cwd: repository });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function bundled(options: Partial<PluginHostOptions> = {}) {
  const { plugins, quarantined } = await discoverPlugins([join(repository, 'plugins')], {
    platform: process.platform,
  });
  expect(quarantined).toEqual([]);
  const opened = join(folder, `${crypto.randomUUID()}.txt`);
  const host = await PluginHost.load({
    plugins,
    services: recordingOpener(opened),
    trusted: () => true,
    ...options,
  });
  return { host, opened };
}

const capability = {
  type: 'object',
  properties: { mode: { type: 'string' } },
} as const;

/** A plugin whose one capability does what its input says. */
async function custom(
  changes: Record<string, unknown> = {},
  code = 'export default { capabilities: [{ name: "greet", handler }] };',
) {
  const root = join(folder, crypto.randomUUID());
  const manifest = sampleManifest({
    capabilities: [sampleCapability({ input: capability, output: true, examples: [], concurrency: 1 })],
    ...changes,
  });
  await mkdir(join(root, 'greeter', 'dist'), { recursive: true });
  await writeFile(join(root, 'greeter', 'plugin.json'), JSON.stringify(manifest));
  const handler = `const handler = async ({ input, config, signal }) => {
    if (input.mode === 'big') return 'x'.repeat(2_000_000);
    if (input.mode === 'config') return { config, frozen: Object.isFrozen(config) };
    if (input.mode === 'hang') return new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason)));
    return 'done';
  };\n`;
  await writeFile(join(root, 'greeter', 'dist', 'index.js'), handler + code);
  return (await discoverPlugins([root])).plugins;
}

const services = { openUrl: async () => undefined };

function execution(
  host: PluginHost,
  name: string,
  input: unknown,
  changes: Partial<Execution> = {},
): Execution {
  const ignore = () => undefined;
  return {
    capability: name,
    digest: host.descriptors().find((offered) => offered.descriptor.name === name)?.digest ?? '',
    input,
    signal: new AbortController().signal,
    deadline: Number.MAX_SAFE_INTEGER,
    progress: ignore,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    ...changes,
  };
}

test('the three bundled plugins are offered with digest, version and build', async () => {
  const { host } = await bundled();
  expect(host.quarantined).toEqual([]);
  const offered = host.descriptors();
  expect(offered.map(({ descriptor }) => descriptor.name)).toEqual([
    'desktop.open_url',
    'echo',
    'system.health',
  ]);
  for (const { digest, build, version } of offered) {
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(build).toMatch(/^[0-9a-f]{64}$/);
    expect(version).toBe('1.0.0');
  }
  await host.stop();
});

test('echo returns its input', async () => {
  const { host } = await bundled();
  for (const input of [{ message: 'hi' }, {}, { value: [1, { a: null }] }]) {
    expect(await host.execute(execution(host, 'echo', input))).toEqual(input);
  }
  await host.stop();
});

test('system.health returns real figures that its schema accepts', async () => {
  const { host } = await bundled();
  expect(await host.execute(execution(host, 'system.health', {}))).toMatchObject({
    cpu: { cores: expect.any(Number) },
    memory: { totalBytes: expect.any(Number) },
    versions: { node: process.versions.node, platform: process.platform },
  });
  await host.stop();
});

test('desktop.open_url hands the page to the opener, and runs only where a person has allowed this build', async () => {
  const { host, opened } = await bundled();
  const input = { url: 'https://example.com/a?b=c' };
  const refused = { code: 'plugin.not_allowed', category: 'policy' };
  for (const allowedBuild of [undefined, '', 'another build']) {
    const run = host.execute(execution(host, 'desktop.open_url', input, { allowedBuild }));
    await expect(run).rejects.toMatchObject(refused);
  }
  await expect(readFile(opened)).rejects.toMatchObject({ code: 'ENOENT' });
  const { digest } = execution(host, 'desktop.open_url', input);
  const allowedBuild = host.offered(digest)?.build;
  const result = await host.execute(execution(host, 'desktop.open_url', input, { allowedBuild }));
  expect(result).toEqual({ url: 'https://example.com/a?b=c' });
  expect(await readFile(opened, 'utf8')).toBe('https://example.com/a?b=c\n');
  await host.stop();
});

test('input that does not match names the field; near matches are named for an unknown capability', async () => {
  const { host } = await bundled();
  await expect(host.execute(execution(host, 'echo', { mesage: 'hi' }))).rejects.toMatchObject({
    code: 'plugin.input_invalid',
    fields: [{ field: '/mesage', message: "is not a known property. Did you mean 'message'?" }],
  });
  await expect(host.execute(execution(host, 'ecko', {}))).rejects.toMatchObject({
    code: 'plugin.unknown_capability',
    hint: "Did you mean 'echo'?",
  });
  const [other] = host.descriptors();
  await expect(
    host.execute(execution(host, 'echo', {}, { digest: other?.digest ?? '' })),
  ).rejects.toMatchObject({
    code: 'plugin.descriptor_changed',
  });
  await host.stop();
});

test('output is checked against its schema and its limit', async () => {
  const output = { type: 'object' };
  const strict = await custom({
    capabilities: [sampleCapability({ input: capability, output, examples: [] })],
  });
  const host = await PluginHost.load({ plugins: strict, services, trusted: () => true });
  await expect(host.execute(execution(host, 'greet', {}))).rejects.toMatchObject({
    code: 'plugin.output_invalid',
    fields: [{ field: '', message: 'must be an object' }],
  });
  await expect(host.execute(execution(host, 'greet', { mode: 'big' }))).rejects.toMatchObject({
    code: 'plugin.output_too_large',
    details: { size: 2_000_002, limit: 1_048_576 },
  });
});

test('runs over the concurrency wait their turn; too many waiting are refused; a waiting one can be cancelled', async () => {
  const host = await PluginHost.load({
    plugins: await custom(),
    services,
    trusted: () => true,
    maxWaiting: 1,
  });
  const first = new AbortController();
  const second = new AbortController();
  const running = host.execute(execution(host, 'greet', { mode: 'hang' }, { signal: first.signal }));
  const waiting = host.execute(execution(host, 'greet', {}, { signal: second.signal }));
  await expect(host.execute(execution(host, 'greet', {}))).rejects.toMatchObject({
    code: 'plugin.busy',
    retryable: true,
  });
  second.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'plugin.never_started' });
  const next = host.execute(execution(host, 'greet', {}));
  first.abort();
  await expect(running).rejects.toMatchObject({ code: 'plugin.cancelled' });
  expect(await next).toBe('done');
  expect(await host.execute(execution(host, 'greet', {}))).toBe('done');
});

test('settings are checked against their schema, frozen, and given to the handler', async () => {
  const schema = { type: 'object', properties: { level: { type: 'integer' } }, additionalProperties: false };
  const plugins = await custom({ config: schema });
  const config = new Map([['greeter', { level: 3 }]]);
  const host = await PluginHost.load({ plugins, services, trusted: () => true, config });
  expect(await host.execute(execution(host, 'greet', { mode: 'config' }))).toEqual({
    config: { level: 3 },
    frozen: true,
  });
  const wrong = new Map([['greeter', { levle: 3 }]]);
  const refused = await PluginHost.load({ plugins, services, trusted: () => true, config: wrong });
  expect(refused.quarantined).toMatchObject([
    { code: 'plugin.config_invalid', pointer: '/config', plugin: 'greeter' },
  ]);
});

test.each<[string, () => Promise<Partial<PluginHostOptions>>, string, string]>([
  [
    'wants a process',
    async () => ({ plugins: await custom({ isolation: 'process' }) }),
    'isolation_unsupported',
    '/isolation',
  ],
  [
    'is not trusted',
    async () => ({ plugins: await custom(), trusted: () => false }),
    'not_trusted',
    '/isolation',
  ],
  [
    'fails to load',
    async () => ({ plugins: await custom({}, 'throw new Error("boom");') }),
    'load_failed',
    '',
  ],
])('a plugin that %s is quarantined, with nothing left of it', async (_, options, code, pointer) => {
  const validators = new ValidatorCache();
  const host = await PluginHost.load({
    plugins: [],
    services,
    trusted: () => true,
    validators,
    ...(await options()),
  });
  expect(host.quarantined).toMatchObject([{ plugin: 'greeter', code: `plugin.${code}`, pointer }]);
  expect(host.quarantined[0]?.hint).toBeDefined();
  expect([host.descriptors(), validators.size]).toEqual([[], 0]);
});

test('a bad plugin hurts no other', async () => {
  const [good] = (await discoverPlugins([join(repository, 'plugins')])).plugins.filter(
    (p) => p.manifest.name === 'echo',
  );
  const bad = await custom({}, 'throw new Error("boom");');
  const host = await PluginHost.load({
    plugins: [...bad, ...(good ? [good] : [])],
    services,
    trusted: () => true,
  });
  expect(host.quarantined).toHaveLength(1);
  expect(await host.execute(execution(host, 'echo', { message: 'hi' }))).toEqual({ message: 'hi' });
});

test('after stop nothing runs and nothing is left compiled', async () => {
  const validators = new ValidatorCache();
  const { host } = await bundled({ validators });
  expect(validators.size).toBeGreaterThan(0);
  await host.stop();
  await host.stop();
  expect(validators.size).toBe(0);
  await expect(host.execute(execution(host, 'echo', {}))).rejects.toMatchObject({ code: 'plugin.stopped' });
});

test('a copy of a plugin with other code has another build and the same digest', async () => {
  const root = join(folder, 'copy');
  await cp(join(repository, 'plugins', 'echo'), join(root, 'echo'), { recursive: true });
  const entry = join(root, 'echo', 'dist', 'index.js');
  await writeFile(entry, `${await readFile(entry, 'utf8')}\n// rebuilt`);
  const { host } = await bundled();
  const copy = await PluginHost.load({
    plugins: (await discoverPlugins([root])).plugins,
    services,
    trusted: () => true,
  });
  const original = host.descriptors().find((offered) => offered.descriptor.name === 'echo');
  const [rebuilt] = copy.descriptors();
  expect(rebuilt?.digest).toBe(original?.digest);
  expect(rebuilt?.build).not.toBe(original?.build);
});
