import { afterEach, expect, test } from 'vitest';
import { sampleManifest } from '../testing/sample-manifest.js';
import { type SampleProject, sampleProject, sampleSource } from '../testing/sample-project.js';
import { checkPlugin } from './check.js';
import { packPlugin } from './pack.js';

let project: SampleProject | undefined;

afterEach(() => project?.remove());

async function check(source: string, pack = false): Promise<readonly string[]> {
  project = await sampleProject(source);
  if (pack) await packPlugin(project.folder);
  return lines(project);
}

async function lines({ folder }: SampleProject): Promise<readonly string[]> {
  const findings = await checkPlugin(folder);
  return findings.map(({ level, rule, file, pointer }) => `${level} ${rule} ${file} ${pointer}`.trim());
}

test('a sound plugin has nothing to say', async () => {
  expect(await check(sampleSource(), true)).toEqual([]);
});

test('everything that is wrong is told at once, by its place', async () => {
  const found = await check(
    sampleSource({
      plugin: "engines: { palyra: '>=99' }, version: 'one', config: Type.Unsafe({ type: 'objekt' }),",
      capability:
        "timeout: '9d', examples: [{ title: 'x', input: { nam: 'Ada' } }, { title: 'y', input: 7 }],",
    }).replace("version: '1.0.0', publisher: 'Ada', engines: { palyra: '>=0.1.0' },", "publisher: 'Ada',"),
  );
  expect(found).toEqual([
    'error plugin.manifest_invalid plugin.json /version',
    'error plugin.engine plugin.json /engines/palyra',
    'error plugin.schema_invalid plugin.json /config/type',
    'error plugin.manifest_invalid plugin.json /capabilities/0/timeout',
    'error plugin.example_mismatch plugin.json /capabilities/0/examples/0/input/name',
    'error plugin.example_mismatch plugin.json /capabilities/0/examples/1/input',
    'error plugin.manifest_stale plugin.json',
  ]);
});

test('misspelt words are told all together, with the nearest ones', async () => {
  project = await sampleProject(sampleSource({ plugin: "titel: 'x',", capability: 'destructiv: true,' }));
  const findings = await checkPlugin(project.folder);
  expect(findings.map(({ pointer, message }) => `${pointer} ${message}`)).toEqual([
    '/titel is not a known property',
    "/capabilities/0/destructiv is not a known property. Did you mean 'destructive'?",
    ' is missing',
  ]);
  expect(findings.slice(0, 2).map(({ hint }) => hint)).toEqual([undefined, undefined]);
});

test('promises that do not go together, and what lacks a bound or a description', async () => {
  const found = await check(
    sampleSource({
      plugin: "permissions: { fileSystem: { write: ['/tmp'] } },",
      capability: `readOnly: true, destructive: true, idempotent: true, examples: [],
        input: Type.Object({ to: Type.Array(Type.String()), when: Type.String({ format: 'date-time' }) }),
        output: Type.Object({ a: Type.Number() }),`,
      handler: '({ a: Number(Boolean(input)) })',
    }),
    true,
  );
  const at = 'plugin.json /capabilities/0';
  expect(found).toEqual([
    `warning contradiction ${at}/destructive`,
    `warning contradiction ${at}/readOnly`,
    `warning destructive_unmediated ${at}/mediation`,
    `warning destructive_repeated ${at}/idempotent`,
    `warning no_examples ${at}/examples`,
    `warning open_object ${at}/input`,
    `warning no_description ${at}/input/properties/to`,
    `warning unbounded ${at}/input/properties/to`,
    `warning unbounded ${at}/input/properties/to/items`,
    `warning no_description ${at}/input/properties/when`,
    `warning no_description ${at}/output/properties/a`,
    'warning permission_unused plugin.json /permissions/fileSystem',
  ]);
});

test('what the code uses and what it asks for are compared; a local name is no global', async () => {
  const head = `import { execFile } from 'node:child_process';
    import { readFileSync } from 'fs';
    const use = [execFile, readFileSync, () => fetch('https://example.com'), process.env.HOME];
    export function fine(WebSocket: unknown): unknown { return [WebSocket, use]; }`;
  const found = await check(sampleSource({ head }), true);
  expect(found).toEqual(
    ['childProcesses', 'network', 'fileSystem', 'environment'].map(
      (name) => `warning permission_missing plugin.json /permissions/${name}`,
    ),
  );
});

test('a folder without source is judged by its plugin.json', async () => {
  project = await sampleProject(sampleSource());
  await packPlugin(project.folder);
  await project.delete('src/index.ts');
  expect(await lines(project)).toEqual([]);
  await project.write('plugin.json', JSON.stringify(sampleManifest({ version: 'x' })));
  expect((await lines(project))[0]).toBe('error plugin.manifest_invalid plugin.json /version');
  await project.delete('dist/index.js');
  expect(await lines(project)).toContain('error plugin.entry_missing plugin.json /entry');
  await project.delete('plugin.json');
  expect(await lines(project)).toEqual(['error plugin.no_source plugin.json']);
});

test('the package is to have the version of the plugin', async () => {
  project = await sampleProject(sampleSource());
  await packPlugin(project.folder);
  await project.write('package.json', '{ "version": "2.0.0" }');
  expect(await lines(project)).toEqual(['warning version_differs package.json /version']);
});

test('a source that can not be bundled is told by line', async () => {
  expect(await check(sampleSource({ head: 'const = 1;' }))).toEqual([
    'error plugin.build_failed src src/index.ts:2:7',
  ]);
});
