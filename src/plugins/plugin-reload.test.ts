import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { discoverPlugins } from './discovery.js';
import { type Execution, PluginHost } from './plugin-host.js';
import { sampleCapability, sampleManifest } from './testing/sample-manifest.js';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'palyra-reload-'));
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** Writes a build of the plugin `greeter`, whose handler is JavaScript, and finds it. */
async function build(handler: string, capability: Record<string, unknown> = {}) {
  const folder = join(root, 'greeter');
  await mkdir(join(folder, 'dist'), { recursive: true });
  const manifest = sampleManifest({ capabilities: [sampleCapability({ concurrency: 2, ...capability })] });
  await writeFile(join(folder, 'plugin.json'), JSON.stringify(manifest));
  const code = `export default { capabilities: [{ name: 'greet', handler: ${handler} }] };`;
  await writeFile(join(folder, 'dist', 'index.js'), code);
  const [plugin] = (await discoverPlugins([root])).plugins;
  if (plugin === undefined) throw new Error('It was not found');
  return plugin;
}

async function hostOf(handler: string): Promise<PluginHost> {
  const services = { openUrl: async () => undefined };
  return PluginHost.load({ plugins: [await build(handler)], services, trusted: () => true });
}

function greeting(host: PluginHost, changes: Partial<Execution> = {}): Promise<unknown> {
  const [offered] = host.descriptors();
  const ignore = () => undefined;
  return host.execute({
    capability: 'greet',
    digest: offered?.digest ?? '',
    input: { name: 'Ada' },
    signal: new AbortController().signal,
    deadline: Number.MAX_SAFE_INTEGER,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    progress: ignore,
    ...changes,
  });
}

const says = (text: string) => `() => ({ greeting: '${text}' })`;
/** Ends when the test lets it. */
const waits = "() => new Promise((ok) => { globalThis.letGreeterGo = () => ok({ greeting: 'old' }); })";
const letGo = () => (globalThis as { letGreeterGo?: () => void }).letGreeterGo?.();

test('new runs go to the new build at once; those under way end where they began', async () => {
  const host = await hostOf(waits);
  const before = host.descriptors()[0];
  const old = greeting(host);
  const { drained } = await host.replace(await build(says('new')));
  expect(await greeting(host)).toEqual({ greeting: 'new' });
  const after = host.descriptors()[0];
  expect(after?.digest).toBe(before?.digest);
  expect(after?.build).not.toBe(before?.build);
  let isDrained = false;
  void drained.then(() => {
    isDrained = true;
  });
  await Promise.resolve();
  expect(isDrained).toBe(false);
  letGo();
  expect(await old).toEqual({ greeting: 'old' });
  await drained;
  await host.stop();
});

test('what waits for its turn in the old build is run by it', async () => {
  const host = await hostOf(
    "() => new Promise((ok) => { const go = globalThis.letGreeterGo; globalThis.letGreeterGo = () => { go?.(); ok({ greeting: 'old' }); }; })",
  );
  const runs = [greeting(host), greeting(host), greeting(host)];
  const { drained } = await host.replace(await build(says('new')));
  letGo();
  await Promise.all(runs.slice(0, 2));
  letGo();
  expect(await Promise.all(runs)).toEqual(Array(3).fill({ greeting: 'old' }));
  await drained;
  await host.stop();
});

test('a build that can not be loaded changes nothing', async () => {
  const host = await hostOf(says('old'));
  const before = host.descriptors();
  await expect(
    host.replace(await build("(() => { throw new Error('no database'); })()")),
  ).rejects.toMatchObject({
    code: 'plugin.load_failed',
  });
  expect(host.descriptors()).toEqual(before);
  expect(await greeting(host)).toEqual({ greeting: 'old' });
  await host.stop();
});

test('another descriptor takes the place of the old one, which can not be called any more', async () => {
  const host = await hostOf(says('old'));
  const before = host.descriptors()[0];
  await (await host.replace(await build(says('new'), { title: 'Say hello' }))).drained;
  expect(host.descriptors().map(({ descriptor }) => descriptor.title)).toEqual(['Say hello']);
  await expect(greeting(host, { digest: before?.digest ?? '' })).rejects.toMatchObject({
    code: 'plugin.descriptor_changed',
  });
  expect(await greeting(host)).toEqual({ greeting: 'new' });
  await host.stop();
});

test('a plugin that is taken away is not offered any more, and may come back', async () => {
  const host = await hostOf(says('old'));
  const { digest } = host.descriptors()[0] ?? { digest: '' };
  await host.remove('greeter');
  await host.remove('greeter');
  expect(host.descriptors()).toEqual([]);
  await expect(greeting(host, { digest })).rejects.toMatchObject({ code: 'plugin.unknown_capability' });
  await host.replace(await build(says('back')));
  expect(await greeting(host)).toEqual({ greeting: 'back' });
  await host.stop();
});

test('stopping ends what still drains', async () => {
  const host = await hostOf(waits);
  const old = greeting(host);
  const { drained } = await host.replace(await build(says('new')));
  letGo();
  await host.stop();
  expect(await old).toEqual({ greeting: 'old' });
  await drained;
});
