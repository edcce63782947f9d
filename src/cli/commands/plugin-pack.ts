import { relative } from 'node:path';
import type { Command } from 'commander';
import type { BuiltPlugin } from '../../plugins/authoring/pack.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { sizeText } from '../size-text.js';

interface PackFlags {
  readonly check?: boolean;
  readonly json?: boolean;
}

/** `palyra plugin pack [DIR]` */
export function registerPluginPack(plugin: Command, context: CliContext): void {
  plugin
    .command('pack')
    .description(
      'Bundle a plugin to one JavaScript file, dist/index.js, and write plugin.json from what its code defines. Commit plugin.json. The code of the plugin is loaded here, and none of its handlers is run.',
    )
    .argument('[dir]', 'the folder of the plugin', '.')
    .option('--check', 'write nothing; fail with 2 when plugin.json is not what the code defines')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        ['palyra plugin pack', 'the plugin in this folder'],
        ['palyra plugin pack plugins/greet --check', 'for a script that guards the repository'],
      ),
    )
    .action((folder: string, flags: PackFlags) => pack(folder, flags, context));
}

async function pack(folder: string, flags: PackFlags, context: CliContext): Promise<void> {
  const { buildPlugin, checkFreshness, packPlugin } = await import('../../plugins/authoring/pack.js');
  if (flags.check) {
    const built = await buildPlugin(folder);
    await checkFreshness(built);
    report(built, 'fresh', flags, context);
    return;
  }
  const packed = await packPlugin(folder);
  report(packed, packed.isChanged ? 'written' : 'fresh', flags, context);
}

function report(
  { project, bundle, description }: BuiltPlugin,
  manifest: 'written' | 'fresh',
  { check, json }: PackFlags,
  context: CliContext,
): void {
  const { name, version, capabilities } = description;
  const bytes = Buffer.byteLength(bundle.text);
  if (json) {
    const { folder, bundle: entry } = project;
    printJson(context, {
      name,
      version,
      capabilities: capabilities.map((capability) => capability.name),
      folder,
      entry: relative(folder, entry),
      bytes,
      build: bundle.build,
      manifest,
    });
    return;
  }
  const size = sizeText(bytes);
  const what = check ? `${size}, plugin.json is fresh` : `dist/index.js ${size}, plugin.json ${manifest}`;
  print(context, `${printable(name)} ${printable(version)}: ${what}`);
}
