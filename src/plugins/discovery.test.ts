import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { discoverPlugins } from './discovery.js';
import { sampleCapability, sampleManifest } from './testing/sample-manifest.js';

let base: string;
let root: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'palyra-discovery-'));
  root = join(base, 'plugins');
  await mkdir(root);
});

afterEach(() => rm(base, { recursive: true, force: true }));

/** A plugin whose code would tell if it was ever run. */
async function plugin(
  name: string,
  manifest: unknown = sampleManifest({ name }),
  into = root,
): Promise<string> {
  const folder = join(into, name);
  await mkdir(join(folder, 'dist'), { recursive: true });
  await writeFile(join(folder, 'dist', 'index.js'), 'throw new Error("plugin code was run");');
  await writeFile(
    join(folder, 'plugin.json'),
    typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
  );
  return folder;
}

const discover = (roots = [root]) => discoverPlugins(roots, { runtimeVersion: '0.1.0' });

test('finds plugins without running their code; what is no plugin is passed over', async () => {
  const folder = await plugin('greeter');
  await mkdir(join(root, '.hidden'));
  await mkdir(join(root, 'node_modules'));
  await writeFile(join(root, 'README.md'), '');
  const { plugins, quarantined } = await discover();
  expect(quarantined).toEqual([]);
  expect(plugins).toMatchObject([
    {
      root,
      folder,
      file: join(folder, 'plugin.json'),
      entry: join(folder, 'dist', 'index.js'),
      manifest: { name: 'greeter' },
    },
  ]);
});

test.each<[string, () => Promise<unknown>, string, string]>([
  ['no manifest', () => mkdir(join(root, 'bad')), 'unreadable', ''],
  ['a broken manifest', () => plugin('bad', '{'), 'manifest_not_json', ''],
  [
    'bytes that are no text',
    async () => writeFile(join(await plugin('bad'), 'plugin.json'), Buffer.from([0x7b, 0xff, 0x7d])),
    'manifest_not_json',
    '',
  ],
  [
    'a manifest that is a folder',
    async () => {
      await rm(join(await plugin('bad'), 'plugin.json'));
      await mkdir(join(root, 'bad', 'plugin.json'));
    },
    'unreadable',
    '',
  ],
  ['a huge manifest', () => plugin('bad', ' '.repeat(300_000)), 'manifest_too_large', ''],
  [
    'no entry',
    async () => rm(join(await plugin('bad'), 'dist'), { recursive: true }),
    'entry_missing',
    '/entry',
  ],
  [
    'an entry that is a folder',
    async () => mkdir(join(await plugin('bad', sampleManifest({ entry: 'lib.js' })), 'lib.js')),
    'entry_not_javascript',
    '/entry',
  ],
  [
    'an entry that is a link out of the folder',
    async () => {
      const entry = join(await plugin('bad'), 'dist', 'index.js');
      await writeFile(join(base, 'outside.js'), '');
      await rm(entry);
      await symlink(join(base, 'outside.js'), entry);
    },
    'folder_escape',
    '/entry',
  ],
  [
    'an entry in a linked folder',
    async () => {
      const folder = await plugin('bad');
      await rm(join(folder, 'dist'), { recursive: true });
      await symlink(join(await plugin('other', sampleManifest(), base), 'dist'), join(folder, 'dist'));
    },
    'folder_escape',
    '/entry',
  ],
  [
    'a manifest that is a link out of the folder',
    async () => {
      const folder = await plugin('bad');
      await writeFile(join(base, 'outside.json'), JSON.stringify(sampleManifest()));
      await rm(join(folder, 'plugin.json'));
      await symlink(join(base, 'outside.json'), join(folder, 'plugin.json'));
    },
    'folder_escape',
    '',
  ],
  [
    'a folder that is a link out of the root',
    async () => symlink(await plugin('away', sampleManifest(), base), join(root, 'bad')),
    'folder_escape',
    '',
  ],
  ['a link that leads nowhere', () => symlink(join(base, 'nowhere'), join(root, 'bad')), 'unreadable', ''],
  ['a link to itself', () => symlink(join(root, 'bad'), join(root, 'bad')), 'unreadable', ''],
])('%s is quarantined, and its neighbour is not', async (_, make, code, pointer) => {
  await plugin('zgood', sampleManifest({ name: 'zgood' }));
  await make();
  const { plugins, quarantined } = await discover();
  expect(plugins.map((found) => found.manifest.name)).toEqual(['zgood']);
  expect(quarantined).toMatchObject([
    { code: `plugin.${code}`, pointer, file: join(root, 'bad', 'plugin.json') },
  ]);
  expect(JSON.parse(JSON.stringify(quarantined))).toEqual(quarantined);
});

test('an entry that is a link inside the folder is followed', async () => {
  const folder = await plugin('greeter', sampleManifest({ entry: 'main.js' }));
  await symlink(join('dist', 'index.js'), join(folder, 'main.js'));
  expect((await discover()).plugins[0]?.entry).toBe(join(folder, 'dist', 'index.js'));
});

test('two plugins of one name: the earlier root stays, and the error names both', async () => {
  const second = join(base, 'more');
  const stays = await plugin('greeter');
  const goes = await plugin(
    'greeter',
    sampleManifest({ capabilities: [sampleCapability({ name: 'other' })] }),
    second,
  );
  const { plugins, quarantined } = await discover([root, second]);
  expect(plugins.map((found) => found.folder)).toEqual([stays]);
  expect(quarantined).toMatchObject([
    { code: 'plugin.name_clash', pointer: '/name', file: join(goes, 'plugin.json') },
  ]);
  expect(quarantined[0]?.message).toContain(join(stays, 'plugin.json'));
});

test('two plugins that give one capability clash as well', async () => {
  await plugin('a-greeter', sampleManifest({ name: 'a-greeter' }));
  await plugin(
    'b-greeter',
    sampleManifest({
      name: 'b-greeter',
      capabilities: [sampleCapability({ name: 'x' }), sampleCapability()],
    }),
  );
  const { plugins, quarantined } = await discover();
  expect(plugins.map((found) => found.manifest.name)).toEqual(['a-greeter']);
  expect(quarantined).toMatchObject([
    { plugin: 'b-greeter', code: 'plugin.name_clash', pointer: '/capabilities/1/name' },
  ]);
});

test('a root that is not there is reported, and the other roots are read', async () => {
  await plugin('greeter');
  const { plugins, quarantined } = await discover([join(base, 'nowhere'), root]);
  expect(plugins).toHaveLength(1);
  expect(quarantined).toMatchObject([{ code: 'plugin.root_unreadable', file: join(base, 'nowhere') }]);
});

test('a root that everybody may write to, and one of another account, are refused whole, with what to do', async () => {
  await plugin('greeter');
  await chmod(root, 0o777);
  expect(await discover()).toMatchObject({
    plugins: [],
    quarantined: [
      {
        code: 'plugin.unsafe_permissions',
        file: root,
        hint: `Take that right away: chmod -R go-w '${root}'`,
      },
    ],
  });
  await chmod(root, 0o755);
  const self = { uid: 4_294_967_294, gid: 4_294_967_294 };
  const foreign = (await discoverPlugins([root], { self })).quarantined;
  const isRoot = process.getuid?.() === 0;
  expect(foreign.map(({ code }) => code)).toEqual(isRoot ? [] : ['plugin.unsafe_permissions']);
});

/** A package in the `node_modules` of the root. */
async function packaged(name: string, palyra: unknown, manifest = sampleManifest()): Promise<string> {
  const folder = await plugin(name, manifest, join(root, 'node_modules'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', palyra }));
  return folder;
}

test('packages that say that they are plugins are found in node_modules, the others are passed over', async () => {
  const folder = await packaged('greeter', 'plugin.json');
  await mkdir(join(root, 'node_modules', '.bin'));
  await mkdir(join(root, 'node_modules', 'left-pad'));
  await writeFile(join(root, 'node_modules', 'left-pad', 'package.json'), '{}');
  await packaged(
    '@scope/second',
    './plugin.json',
    sampleManifest({ name: 'second', capabilities: [sampleCapability({ name: 'second' })] }),
  );
  const found = await discover();
  expect(found.quarantined).toEqual([]);
  expect(found.plugins.map(({ manifest }) => manifest.name)).toEqual(['greeter', 'second']);
  expect(found.plugins[0]).toMatchObject({ root, folder });
  expect((await discover([join(root, 'node_modules')])).plugins).toHaveLength(2);
});

test('a package may have its manifest in a folder of its own, but not outside', async () => {
  const folder = await packaged('greeter', 'palyra/plugin.json');
  await plugin('palyra', sampleManifest(), folder);
  expect((await discover()).plugins[0]?.folder).toBe(join(folder, 'palyra'));
  await packaged('greeter', '../../plugin.json', { not: 'a manifest' });
  expect((await discover()).quarantined).toMatchObject([
    { file: join(folder, 'plugin.json'), plugin: 'greeter' },
  ]);
});

test('a package that is a link out of node_modules is refused', async () => {
  const away = await plugin('away', sampleManifest(), base);
  await writeFile(join(away, 'package.json'), '{"palyra":"plugin.json"}');
  await mkdir(join(root, 'node_modules'));
  await symlink(away, join(root, 'node_modules', 'away'));
  expect((await discover()).quarantined).toMatchObject([{ code: 'plugin.folder_escape', plugin: 'away' }]);
});

test('two plugins of one name in one root, one of them in a package, are told apart by their paths', async () => {
  await plugin('greeter');
  const second = await packaged('greeter', 'plugin.json');
  const { plugins, quarantined } = await discover();
  expect(plugins).toHaveLength(1);
  expect(quarantined[0]?.message).toContain(join(root, 'greeter', 'plugin.json'));
  expect(quarantined[0]?.message).toContain(join(second, 'plugin.json'));
});
