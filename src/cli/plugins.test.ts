import { afterEach, beforeEach, expect, it } from 'vitest';
import { samplePlugin } from '../adapters/http/testing/samples.js';
import { type CliHarness, openCliHarness } from './testing/cli-harness.js';

let cli: CliHarness;
beforeEach(async () => {
  cli = await openCliHarness();
  cli.control.installed = [
    samplePlugin(),
    samplePlugin({
      plugin: 'evil\u001b[2J',
      state: 'quarantined',
      capabilities: [],
      file: '/srv/plugins/evil/plugin.json',
      fault: {
        code: 'plugin.manifest_invalid',
        pointer: '/isolatoin',
        message: '/srv/plugins/evil/plugin.json /isolatoin: is not known',
        hint: "Did you mean 'isolation'?",
      },
    }),
  ];
});
afterEach(() => cli.close());

it('lists plugins with what keeps one out, and prints nothing that a plugin could trick a terminal with', async () => {
  const { code, stdout } = await cli.run(['plugins', 'list']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/system-health +loaded +2\.0\.0 +process +abababababab/);
  expect(stdout).toContain('/isolatoin: is not known');
  expect(stdout).not.toContain('\u001b[2J');
  expect(JSON.parse((await cli.run(['plugins', 'list', '--json'])).stdout)).toMatchObject({
    plugins: [{ plugin: 'system-health' }, { state: 'quarantined', fault: { pointer: '/isolatoin' } }],
  });
});

it('shows one with its folder, build and what it asks for, and names what was meant by another name', async () => {
  const { stdout } = await cli.run(['plugins', 'show', 'system-health']);
  for (const text of ['/srv/plugins/system-health', 'ab'.repeat(32), 'Asks for  nothing', 'system.health']) {
    expect(stdout).toContain(text);
  }
  const { code, stderr } = await cli.run(['plugins', 'show', 'system-heath']);
  expect(code).toBe(7);
  expect(stderr).toContain('The daemon knows no plugin system-heath');
});

it('reloads, and says which options wait for a restart', async () => {
  const { code, stdout } = await cli.run(['plugins', 'reload']);
  expect(code).toBe(0);
  expect(stdout).toContain('Taken over');
  expect(stdout).toContain('/log/level');
  expect(cli.control.asked('reloadPlugins')).toHaveLength(1);
});
