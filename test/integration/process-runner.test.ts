import { afterAll, expect, test } from 'vitest';
import { bundledPlugins } from '../../src/plugins/bundled.js';
import { discoverPlugins } from '../../src/plugins/discovery.js';
import { PluginHost } from '../../src/plugins/plugin-host.js';
import type { Runner } from '../../src/plugins/runner.js';
import { runnerContract } from '../../src/plugins/testing/runner-contract.js';
import { type ProcessHost, processHost } from '../support/process-host.js';

const hosts: ProcessHost[] = [];

afterAll(async () => {
  for (const host of hosts) await host.close();
});

/** A host is opened before the runner can be made, which the contract wants at once. */
runnerContract({
  name: 'process',
  make: async ({ entry, capabilities, clock, graceMs, loadMs }): Promise<Runner> => {
    const host = await processHost({ clock, limits: { graceMs, loadMs } });
    hosts.push(host);
    return host.runner(entry, capabilities);
  },
});

test('the bundled plugins work in processes of their own too, where the operator wants that', async () => {
  const host = await processHost();
  hosts.push(host);
  const { plugins } = await discoverPlugins([bundledPlugins()]);
  const opened: string[] = [];
  const pluginHost = await PluginHost.load({
    plugins,
    services: { openUrl: async (url) => void opened.push(url) },
    trusted: () => false,
    isolated: () => true,
    processRunner: (plugin) => host.processes.runner(plugin),
  });
  const ignore = () => undefined;
  const run = (capability: string, input: unknown) => {
    const offered = pluginHost.descriptors().find((one) => one.descriptor.name === capability);
    return pluginHost.execute({
      capability,
      input,
      digest: offered?.digest ?? '',
      // As if a person had been asked, where one has to be.
      allowedBuild: offered?.build,
      signal: new AbortController().signal,
      deadline: Number.MAX_SAFE_INTEGER,
      progress: ignore,
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    });
  };
  expect(await run('echo', { message: 'hi' })).toEqual({ message: 'hi' });
  expect(await run('system.health', {})).toMatchObject({ memory: { totalBytes: expect.any(Number) } });
  expect(await run('desktop.open_url', { url: 'https://a.example/' })).toEqual({ url: 'https://a.example/' });
  expect(opened).toEqual(['https://a.example/']);
  // What they wrote on the side would be in the log of each node.
  expect(host.lines).toEqual([]);
  await pluginHost.stop();
});
