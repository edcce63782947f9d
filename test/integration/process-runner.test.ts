import { afterAll } from 'vitest';
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
