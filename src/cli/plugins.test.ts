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

it('asks whether an installed plugin was meant by a name that is enabled and nowhere here', async () => {
  cli.control.installed = [
    samplePlugin(),
    { plugin: 'system-helth', state: 'not_installed', capabilities: [] },
    { plugin: 'printer', state: 'not_installed', capabilities: [] },
  ];
  const { stdout } = await cli.run(['plugins', 'list']);
  expect(stdout).toMatch(/system-helth .*enabled, and not installed here\. Did you mean 'system-health'\?/);
  expect(stdout).toMatch(/printer .*enabled, and not installed here *$/m);
});

it('says what may mend a fault once', async () => {
  const fault = (message: string) => ({ code: 'x', pointer: '/a', message, hint: "Did you mean 'b'?" });
  const show = async (message: string): Promise<string> => {
    cli.control.installed = [samplePlugin({ plugin: 'bad', state: 'quarantined', fault: fault(message) })];
    return (await cli.run(['plugins', 'show', 'bad'])).stdout;
  };
  expect(await show('/a is not known')).toContain("Hint      Did you mean 'b'?");
  expect(await show("/a is not known. Did you mean 'b'?")).not.toContain('Hint');
});
