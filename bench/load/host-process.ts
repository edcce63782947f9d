/** A process full of real node hosts. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJoinString } from '../../src/actors/identity/join-string.js';
import { freshKeys, type KeySource } from '../../src/adapters/pki/keys.js';
import { jsonLog } from '../../src/adapters/telemetry/log.js';
import { type NodeHost, startNodeHost } from '../../src/node/node-host.js';
import { noRules } from '../../src/node/plugin-rules.js';
import { bundledPlugins } from '../../src/plugins/bundled.js';
import { serveRole } from '../role.js';
import { eachLimited } from './enrolment.js';

export type HostAsks = {
  /**
   * Starts a node host with the plugin `echo` for each join string, `atATime` of them at once; resolves when all are paired.
   * Somebody has to approve them meanwhile. Their state goes below `directory`.
   */
  join(body: {
    readonly directory: string;
    readonly joinStrings: readonly string[];
    readonly atATime: number;
  }): Promise<void>;
};

const hosts: NodeHost[] = [];

/** Each host has its own identity key. They share one TLS key, because an RSA key takes a tenth of a second to make. */
async function oneTlsKey(): Promise<KeySource> {
  const pair = await freshKeys.rsa(2048);
  return { ed25519: freshKeys.ed25519, rsa: async () => pair };
}

async function startHost(stateDirectory: string, joinString: string, keys: KeySource): Promise<void> {
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
  const host = await startNodeHost(
    {
      stateDirectory,
      pluginSource: { roots: [bundledPlugins()], rules: { ...noRules, enabled: new Set(['echo']) } },
      invitation: { method: 'join', join: parseJoinString(joinString) },
      services: { openUrl: () => Promise.reject(new Error('A host of a benchmark opens no pages')) },
      mediator: {
        atOnce: 1,
        ask: (_request, _signal, answer) => answer({ answer: 'deny' }),
        close: () => {},
      },
      log: jsonLog('warn'),
      report: () => {},
      drainMs: 1_000,
      keys,
    },
    new AbortController().signal,
  );
  hosts.push(host);
  // Whoever measures must not go on with fewer hosts than it says.
  host.ended.catch((error: unknown) => {
    console.error(`Node host ${host.deviceId} ended`, error);
    process.exit(1);
  });
}

serveRole<HostAsks>(
  {
    join: async ({ directory, joinStrings, atATime }) => {
      const keys = await oneTlsKey();
      await eachLimited(joinStrings, atATime, (joinString, n) =>
        startHost(join(directory, String(n)), joinString, keys),
      );
    },
  },
  async () => {
    await Promise.all(hosts.map((host) => host.stop('The benchmark has ended')));
  },
);
