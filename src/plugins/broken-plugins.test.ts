import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Discovery, discoverPlugins, type Quarantine } from './discovery.js';
import { brokenPlugins, writeBrokenPlugins } from './testing/broken-plugins.js';
import { sampleCapability, sampleManifest } from './testing/sample-manifest.js';

let base: string;
let root: string;
let discovery: Discovery;
let tookMs: number;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'palyra-broken-'));
  root = join(base, 'plugins');
  const trusted = join(base, 'trusted');
  for (const folder of [root, trusted, join(base, 'outside')]) await mkdir(folder, { mode: 0o755 });
  writeBrokenPlugins(root, join(base, 'outside'));
  for (const name of ['aa-good', 'zz-good']) await writeGood(root, name);
  await writeGood(trusted, 'echo');
  const started = performance.now();
  discovery = await discoverPlugins([trusted, root]);
  tookMs = performance.now() - started;
});
afterAll(() => rm(base, { recursive: true, force: true }));

async function writeGood(into: string, name: string): Promise<void> {
  const own = sampleCapability({ name: name.replace('-', '_') });
  const folder = join(into, name);
  await mkdir(join(folder, 'dist'), { recursive: true, mode: 0o755 });
  await writeFile(join(folder, 'plugin.json'), JSON.stringify(sampleManifest({ name, capabilities: [own] })));
  await writeFile(join(folder, 'dist', 'index.js'), 'throw new Error("plugin code was run");');
}

function foundOf(name: string): Quarantine | undefined {
  return discovery.quarantined.find(({ file }) => file === join(root, name, 'plugin.json'));
}

describe(`${brokenPlugins.length} broken plugins`, () => {
  it('are more than the sixty that were promised, each once', () => {
    expect(new Set(brokenPlugins.map(({ name }) => name)).size).toBe(brokenPlugins.length);
    expect(brokenPlugins.length).toBeGreaterThan(60);
  });

  it.each(brokenPlugins)('$name is left out: $code at $pointer', ({ name, code, pointer }) => {
    const found = foundOf(name);
    expect(found).toMatchObject({ code: `plugin.${code}`, pointer });
    expect(found?.message).toContain(join(root, name, 'plugin.json'));
    expect(found?.hint ?? '').not.toBe('');
  });

  it('touch no other: the good ones beside them are found, and nothing else is left out', () => {
    const good = discovery.plugins.filter((plugin) => plugin.root === root);
    expect(good.map(({ manifest }) => manifest.name)).toEqual(['aa-good', 'zz-good']);
    expect(discovery.plugins.filter((plugin) => plugin.root !== root)).toHaveLength(1);
    expect(discovery.quarantined).toHaveLength(brokenPlugins.length);
  });

  it('take no part of the two seconds that a start may take', () => {
    expect(tookMs).toBeLessThan(2_000);
  });

  it('leave the prototype of objects alone', () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as { isolation?: string }).isolation).toBeUndefined();
  });
});
