import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SampleProject, sampleProject, sampleSource } from '../plugins/testing/sample-project.js';
import { type CliHarness, openCliHarness } from './testing/cli-harness.js';

let cli: CliHarness;
let project: SampleProject;

beforeAll(async () => {
  cli = await openCliHarness();
  project = await sampleProject(sampleSource());
});

afterAll(async () => {
  await cli.close();
  await project.remove();
});

test('pack writes, says what, and says with --check when it is stale', async () => {
  const before = await cli.run(['plugin', 'pack', project.folder, '--check']);
  expect(before).toMatchObject({ code: 2, stdout: '' });
  expect(before.stderr).toContain('plugin.json is missing');
  const packed = await cli.run(['plugin', 'pack', project.folder]);
  expect(packed.stdout).toMatch(/^greet 1\.0\.0: dist\/index\.js [\d.]+ KiB, plugin\.json written\n$/);
  const checked = await cli.run(['plugin', 'pack', project.folder, '--check', '--json']);
  expect(JSON.parse(checked.stdout)).toMatchObject({
    name: 'greet',
    entry: 'dist/index.js',
    capabilities: ['greet'],
    manifest: 'fresh',
  });
});

test('check ends with 2 for errors, and for warnings only with --strict', async () => {
  await project.write('src/index.ts', sampleSource({ capability: 'examples: [],' }));
  await cli.run(['plugin', 'pack', project.folder]);
  const lenient = await cli.run(['plugin', 'check', project.folder]);
  expect(lenient.code).toBe(0);
  expect(lenient.stdout).toContain('warning: plugin.json /capabilities/0/examples are empty (no_examples)');
  expect((await cli.run(['plugin', 'check', project.folder, '--strict'])).code).toBe(2);
  await project.write('src/index.ts', sampleSource({ capability: "timeout: '9d'," }));
  const wrong = await cli.run(['plugin', 'check', project.folder, '--json']);
  expect(wrong.code).toBe(2);
  expect(JSON.parse(wrong.stdout)).toMatchObject({
    ok: false,
    findings: [{ pointer: '/capabilities/0/timeout' }, { rule: 'plugin.manifest_stale' }],
  });
});

test('new asks on a terminal, takes defaults in a script, and never writes over something', async () => {
  const folder = `${project.folder}-new`;
  const asked = await cli.run(['plugin', 'new', folder], {
    terminal: { columns: 200, answer: true, typed: 'disks' },
  });
  expect(asked.asked).toHaveLength(3);
  expect(asked.stdout).toContain('Made ');
  expect(asked.stdout).toContain('src/index.test.ts');
  expect(await cli.run(['plugin', 'new', folder, '--yes'])).toMatchObject({ code: 6, stdout: '' });
  const bad = await cli.run(['plugin', 'new', `${project.folder}-Bad`, '--yes']);
  expect(bad.code).toBe(2);
  expect(bad.stderr).toContain('must be lowercase words');
  expect((await cli.run(['plugin', 'new', '--yes'])).stderr).toContain('give --name');
});
