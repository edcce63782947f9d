import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { devReporter } from '../dev-report.js';
import { examples } from '../help-text.js';
import { onSignals } from '../node-terminal.js';

interface DevFlags extends ConnectionFlags {
  readonly nodeName: string;
  readonly nodeStateDir?: string;
}

/** `palyra plugin dev [DIR]` */
export function registerPluginDev(plugin: Command, context: CliContext): void {
  const dev = plugin
    .command('dev')
    .description(
      'Run a plugin on a node of this machine, and again with each change. The node is one of its own that joins palyrad once; the plugin is its only one. What can not be built changes nothing. Ends with Ctrl-C.',
    )
    .argument('[dir]', 'the folder of the plugin', '.')
    .option('--node-name <name>', 'the name by which the node joins', 'dev')
    .option(
      '--node-state-dir <dir>',
      'directory of the identity of the node (default: beside that of `palyra node`)',
    )
    .addHelpText(
      'after',
      examples(
        ['palyra plugin dev', 'the plugin in this folder, on the palyrad of this machine'],
        ['palyra plugin dev plugins/greet --json', 'one JSON object for each thing that happens'],
      ),
    );
  withConnection(dev).action((folder: string, flags: DevFlags) => runDev(folder, flags, context));
}

async function runDev(folder: string, flags: DevFlags, context: CliContext): Promise<void> {
  const { DevSession } = await import('../dev-session.js');
  const { defaultStateDirectory } = await import('../../adapters/os/state-directory.js');
  const over = new AbortController();
  const endSignals = onSignals(() => over.abort());
  const { nodeName, nodeStateDir, json = false } = flags;
  const beside = dirname(defaultStateDirectory('node', context.env));
  try {
    await new DevSession(
      {
        folder,
        stateDirectory: nodeStateDir ?? join(beside, 'dev-node'),
        nodeName,
        json,
        context,
        report: devReporter({ json }, context),
        connect: () => connect(flags, context),
      },
      over.signal,
    ).run();
  } catch (thrown) {
    // What was under way when the person had enough is no failure.
    if (!over.signal.aborted) throw thrown;
  } finally {
    endSignals();
  }
}
