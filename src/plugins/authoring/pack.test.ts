import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../kernel/clock.js';
import { discoverPlugins } from '../discovery.js';
import { loadHandlers } from '../plugin-code.js';
import { type SampleProject, sampleProject, sampleSource } from '../testing/sample-project.js';
import { readDefinition } from './definition.js';
import { buildPlugin, checkFreshness, packPlugin } from './pack.js';

const projects: SampleProject[] = [];

async function project(source: string): Promise<SampleProject> {
  const made = await sampleProject(source);
  projects.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(projects.splice(0).map((made) => made.remove()));
});

const code = (name: string) => expect.objectContaining({ code: `plugin.${name}` });

test('a source becomes a plugin that is found, sound and runs, in one file', async () => {
  const { folder } = await project(sampleSource());
  const { isChanged, bundle } = await packPlugin(folder);
  expect(isChanged).toBe(true);
  const { plugins, quarantined } = await discoverPlugins([join(folder, '..')]);
  expect(quarantined).toEqual([]);
  expect(plugins[0]?.manifest).toMatchObject({ name: 'greet', isolation: 'process', entry: 'dist/index.js' });
  const handlers = await loadHandlers({
    plugin: 'greet',
    entry: join(folder, 'dist/index.js'),
    capabilities: ['greet'],
  });
  const run = handlers.get('greet') as (call: unknown) => unknown;
  expect(run({ input: { name: 'Ada' } })).toEqual({ greeting: 'Hello, Ada' });
  expect(await readdir(join(folder, 'dist'))).toEqual(['index.js']);
  expect(await readFile(join(folder, 'dist/index.js'), 'utf8')).toBe(bundle.text);
});

test('a bundle holds the SDK and nothing else of this package', async () => {
  const { folder } = await project(sampleSource());
  const { bundle } = await buildPlugin(folder);
  const foreign = bundle.files.filter(
    (file) => !/\/(typebox|plugins\/sdk|palyra-plugin-[^/]*\/greet\/src)\//.test(file),
  );
  expect(foreign).toEqual([]);
  expect([...bundle.builtins.keys()]).toEqual([]);
});

test('the same source gives the same bytes in another folder, with no path of this machine', async () => {
  const one = await project(sampleSource());
  const other = await project(sampleSource());
  const builds = [await buildPlugin(one.folder), await buildPlugin(other.folder)];
  expect(builds[0]?.bundle.build).toBe(builds[1]?.bundle.build);
  expect(builds[0]?.bundle.text).not.toContain(one.folder);
  expect(builds[0]?.manifest).toBe(builds[1]?.manifest);
});

test('packing again changes nothing; another definition makes plugin.json stale', async () => {
  const made = await project(sampleSource());
  await packPlugin(made.folder);
  expect((await packPlugin(made.folder)).isChanged).toBe(false);
  await checkFreshness(await buildPlugin(made.folder));
  await made.write('src/index.ts', sampleSource({ capability: 'readOnly: true,' }));
  await expect(buildPlugin(made.folder).then(checkFreshness)).rejects.toEqual(code('manifest_stale'));
});

test('a package of the older kind may require what Node brings, and a source may have a require of its own', async () => {
  const made = await project(
    sampleSource({
      head: "import { createRequire } from 'node:module';\nimport name from 'old';\nconst require = createRequire(import.meta.url);",
      plugin: "platforms: [require('node:os').platform() === name ? 'linux' : 'win32'],",
    }),
  );
  await made.write(
    'node_modules/old/package.json',
    '{ "name": "old", "version": "1.0.0", "main": "index.js" }',
  );
  await made.write('node_modules/old/index.js', "module.exports = require('os').platform();");
  const { description } = await buildPlugin(made.folder);
  expect(description.platforms).toEqual(['linux']);
});

test.each<[string, string, string, string]>([
  ['a syntax error', sampleSource({ head: 'const = 1;' }), 'build_failed', 'src/index.ts:2:7'],
  [
    'a missing package',
    sampleSource({ head: "import 'nowhere';" }),
    'build_failed',
    'Could not resolve "nowhere"',
  ],
  ['a throw', sampleSource({ head: "throw new Error('no printer');" }), 'load_failed', 'no printer'],
  ['an exit', sampleSource({ head: 'process.exit(0);' }), 'load_failed', 'ended the program'],
  ['no definition', 'export default 7;', 'load_failed', 'no default export'],
  [
    'no handler',
    sampleSource({ handler: 'null, ...{ handler: undefined }' }),
    'load_failed',
    "'greet' has no handler",
  ],
  [
    'a misspelt word',
    sampleSource({ capability: 'readonly: true,' }),
    'manifest_invalid',
    "Did you mean 'readOnly'?",
  ],
])('%s leaves what was there, and says where and why', async (_, source, name, text) => {
  const made = await project(sampleSource());
  await packPlugin(made.folder);
  const before = await readFile(join(made.folder, 'dist/index.js'), 'utf8');
  await made.write('src/index.ts', source);
  const error: unknown = await packPlugin(made.folder).catch((thrown: unknown) => thrown);
  expect(error).toEqual(code(name));
  expect((error as Error).message).toContain(text);
  expect(await readdir(join(made.folder, 'dist'))).toEqual(['index.js']);
  expect(await readFile(join(made.folder, 'dist/index.js'), 'utf8')).toBe(before);
});

test('a plugin that never ends loading is given up', async () => {
  const made = await project(sampleSource());
  await made.write('loop.mjs', 'for (;;);');
  const impatient: Clock = {
    ...systemClock,
    setTimeout: (callback) => systemClock.setTimeout(callback, 300),
  };
  const request = { plugin: 'loop', entry: join(made.folder, 'loop.mjs') };
  await expect(readDefinition(request, impatient)).rejects.toEqual(code('load_timeout'));
});

test('a folder without a source says what to do', async () => {
  await expect(packPlugin('/nowhere')).rejects.toEqual(code('no_source'));
  await expect(packPlugin('docs')).rejects.toThrow('no src/index.ts');
});
