import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { registerPluginCheck } from './plugin-check.js';
import { registerPluginDev } from './plugin-dev.js';
import { registerPluginNew } from './plugin-new.js';
import { registerPluginPack } from './plugin-pack.js';

/** `palyra plugin new | dev | check | pack` */
export function registerPluginCommand(program: Command, context: CliContext): void {
  const plugin = program
    .command('plugin')
    .summary('write a plugin: make, run, check and bundle it')
    .description(
      'Write a plugin. Its code says what it defines; plugin.json is written from that and never by hand.',
    )
    .addHelpText(
      'after',
      examples(
        ['palyra plugin new greet', 'make one that works'],
        ['palyra plugin dev', 'run it on a node of this machine, and again with each change'],
        ['palyra plugin check', 'everything that is wrong with the plugin in this folder, at once'],
        ['palyra plugin pack', 'bundle it to dist/index.js and write plugin.json'],
      ),
    );
  registerPluginNew(plugin, context);
  registerPluginDev(plugin, context);
  registerPluginPack(plugin, context);
  registerPluginCheck(plugin, context);
}
