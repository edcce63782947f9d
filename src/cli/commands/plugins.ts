import type { Command } from 'commander';
import type { Plugin } from '../../contract/plugin.js';
import { didYouMean } from '../../kernel/nearest.js';
import { cliError } from '../cli-errors.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { localPlugins } from '../local-plugins.js';
import { colours, print, printJson } from '../output.js';
import { originText, pluginColours, pluginText } from '../plugin-text.js';
import { printable } from '../printable.js';
import { tableText } from '../table.js';

interface LocalFlags extends ConnectionFlags {
  readonly local?: boolean;
  readonly config?: string;
}

/** `palyra plugins list | show | reload` */
export function registerPluginsCommand(program: Command, context: CliContext): void {
  const plugins = program
    .command('plugins')
    .summary('see which plugins there are and why some are left out')
    .description(
      'The plugins that the daemon knows, or with --local those of this machine as a node: loaded, disabled, or quarantined with the reason.',
    )
    .addHelpText(
      'after',
      examples(
        ['palyra plugins list', 'all of them'],
        ['palyra plugins show printer', 'one, with the place and the mending of its fault'],
        ['palyra plugins reload', 'take over a changed palyra.yaml, or a changed folder'],
        ['palyra plugins list --local', 'those that `palyra node run` would load here'],
      ),
    );
  const list = plugins
    .command('list')
    .description('List the plugins.')
    .addHelpText(
      'after',
      examples(
        ['palyra plugins list', 'a table'],
        ['palyra plugins list --json', '{"plugins": […]}'],
        ['palyra plugins list --local --config palyra-node.yaml', 'of this machine, by that file'],
      ),
    );
  withLocal(withConnection(list)).action(async (flags: LocalFlags) => {
    tell(context, flags, await pluginsFor(flags, context));
  });
  const show = plugins
    .command('show')
    .description('Show what goes by the name of a plugin.')
    .argument('<plugin>', 'its name')
    .addHelpText(
      'after',
      examples(
        ['palyra plugins show echo', 'in words'],
        ['palyra plugins show echo --json', '{"plugins": […]}'],
      ),
    );
  withLocal(withConnection(show)).action(async (name: string, flags: LocalFlags) => {
    const found = await named(name, flags, context);
    if (flags.json) printJson(context, { plugins: found });
    else print(context, ...found.flatMap((one) => ['', ...pluginText(context, one)]).slice(1));
  });
  const reload = plugins
    .command('reload')
    .description(
      'Have the daemon read its configuration and plugin folders again. Sessions stay up, what is under way ends as it began, and a configuration with a mistake changes nothing. A node host does the same on SIGHUP.',
    )
    .addHelpText(
      'after',
      examples(
        ['palyra plugins reload', 'tells what is loaded then'],
        ['kill -HUP $(pgrep -f "palyra node run")', 'on a machine that runs a node host'],
      ),
    );
  withConnection(reload).action(async (flags: ConnectionFlags) => {
    const client = await connect(flags, context);
    const { plugins: all, restartNeeded } = await client.reloadPlugins();
    if (flags.json) {
      printJson(context, { plugins: all, restartNeeded });
      return;
    }
    tell(context, flags, all);
    const { green, yellow } = colours(context.stdout, context.env);
    print(context, '', `${green('✓')} Taken over.`);
    if (restartNeeded.length > 0) {
      print(
        context,
        yellow(`Changed too, and read at the next start of palyrad only: ${restartNeeded.join(', ')}`),
      );
    }
  });
}

function withLocal(command: Command): Command {
  return command
    .option('--local', 'of this machine as a node, without asking the daemon')
    .option('--config <file>', 'with --local: palyra-node.yaml (PALYRA_NODE_CONFIG)');
}

async function pluginsFor(flags: LocalFlags, context: CliContext): Promise<readonly Plugin[]> {
  if (flags.local) return localPlugins(flags.config, context.env);
  return (await (await connect(flags, context)).listPlugins()).plugins;
}

async function named(name: string, flags: LocalFlags, context: CliContext): Promise<readonly Plugin[]> {
  if (!flags.local) return (await (await connect(flags, context)).getPlugin(name)).plugins;
  const all = await localPlugins(flags.config, context.env);
  const found = all.filter(({ plugin }) => plugin === name);
  if (found.length > 0) return found;
  const names = all.map(({ plugin }) => printable(plugin));
  throw cliError('not_found', `There is no plugin ${printable(name)} on this machine`, {
    hint: didYouMean(name, names) ?? 'See which there are: palyra plugins list --local',
  });
}

function tell(context: CliContext, flags: ConnectionFlags, plugins: readonly Plugin[]): void {
  if (flags.json) {
    printJson(context, { plugins });
    return;
  }
  const table = tableText<Plugin>(
    context,
    [
      { head: 'PLUGIN', text: ({ plugin }) => plugin, elastic: true },
      { head: 'STATE', text: ({ state }) => state, colour: ({ state }) => pluginColours[state] },
      { head: 'VERSION', text: ({ version = '' }) => version },
      { head: 'ISOLATION', text: ({ isolation = '' }) => isolation },
      { head: 'BUILD', text: ({ buildDigest = '' }) => buildDigest.slice(0, 12) },
      { head: 'FROM', text: (plugin) => originText(plugin, plugins), elastic: true },
    ],
    plugins,
  );
  print(context, table);
}
