import { parseJoinString } from '../../src/actors/identity/join-string.js';
import { printEvent } from '../../src/cli/output.js';
import { absentMediator } from '../../src/node/mediation.js';
import { startNodeHost } from '../../src/node/node-host.js';
import { noRules } from '../../src/node/plugin-rules.js';
import { discoverPlugins } from '../../src/plugins/discovery.js';

/*
 * The node host as a process of its own, on the build (`scriptOnBuild`), whose plugins come from another folder than the bundled ones.
 * Arguments: the state directory, the folder of plugins, and a join string if it is not paired yet. SIGUSR2 has it replace its
 * plugins by what the folder holds by then.
 */

const [stateDirectory = '', plugins = '', join] = process.argv.slice(2);
const host = await startNodeHost(
  {
    stateDirectory,
    pluginSource: { roots: [plugins], rules: noRules },
    ...(join === undefined ? {} : { invitation: { method: 'join', join: parseJoinString(join) } }),
    services: { openUrl: () => Promise.reject(new Error('nobody looks')) },
    mediator: absentMediator,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    report: (report) => printEvent(process, report),
    drainMs: 1_000,
  },
  new AbortController().signal,
);
process.once('SIGTERM', () => void host.stop('SIGTERM'));
process.on('SIGUSR2', async () => {
  const { plugins: found } = await discoverPlugins([plugins]);
  await Promise.all(found.map((plugin) => host.plugins.replace(plugin)));
  printEvent(process, { event: 'replaced' });
});
await host.ended;
