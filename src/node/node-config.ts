import { dirname, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { configChecker } from '../adapters/config/config-check.js';
import { invalidConfig, type Origin } from '../adapters/config/config-error.js';
import { readConfigFile } from '../adapters/config/config-file.js';
import { valueAt } from '../adapters/config/config-layer.js';
import { yamlLayer } from '../adapters/config/config-yaml.js';
import { publishedSchema } from '../adapters/config/option-schema.js';
import { pluginNames, pluginPaths, pluginSettings } from '../adapters/config/plugin-options.js';
import { settingsProblems } from '../adapters/config/plugin-settings.js';
import { findConfigFile } from '../adapters/os/config-path.js';
import { bundledPlugins } from '../plugins/bundled.js';
import type { LoadedManifest } from '../plugins/discovery.js';
import type { PluginComplaint, PluginSource } from './plugin-rules.js';

const closed = { additionalProperties: false } as const;

/** The schema of a complete `palyra-node.yaml`. In the file itself every key is optional. */
const nodeConfigSchema = Type.Object(
  {
    plugins: Type.Object(
      {
        paths: pluginPaths('More folders to look for plugins in, relative to this file.'),
        enabled: Type.Optional(
          pluginNames('The plugins that may run on this machine. Left out: all that are found.', []),
        ),
        disabled: pluginNames('Plugins that may not run on this machine.', []),
        trusted: pluginNames(
          'Plugins that may run inside the node host, where nothing protects it from them, if they ask to. The bundled ones may.',
          [],
        ),
        isolated: pluginNames(
          'Plugins that get a process of their own although they ask to run inside the node host, such as a bundled one.',
          [],
        ),
        settings: pluginSettings(
          'What is set for plugins, by their names. Each setting holds over the one that the daemon gives.',
        ),
      },
      {
        ...closed,
        description: 'Which plugins run on this machine. It only takes away from what the daemon allows.',
      },
    ),
  },
  { ...closed, title: 'Palyra node configuration', description: 'palyra-node.yaml. Every key is optional.' },
);
type Written = Static<typeof nodeConfigSchema>;

const checker = configChecker<Written>(nodeConfigSchema);

/** The schema that editors complete `palyra-node.yaml` with. */
export function publishedNodeConfigSchema(): object {
  return publishedSchema(nodeConfigSchema);
}

/**
 * Reads `palyra-node.yaml`: the file that was named, else `$PALYRA_NODE_CONFIG`, else the one in the configuration directory if it is
 * there. Without one all plugins that are found may run.
 *
 * @throws AppError `config.invalid` with line, pointer and near match, `config.unreadable`
 * @example readNodeConfig(undefined, process.env).roots[0] // the folder of the bundled plugins
 */
export function readNodeConfig(named: string | undefined, env: NodeJS.ProcessEnv): PluginSource {
  const path = findConfigFile(named, env, 'node');
  const layer = path === undefined ? undefined : yamlLayer(readConfigFile(path));
  const problems = layer === undefined ? [] : checker.checkLayer(layer);
  if (problems.length > 0) throw invalidConfig(problems);
  const read = <T>(pointer: string): T | undefined =>
    valueAt(layer?.tree ?? {}, pointer.slice(1).split('/')) as T | undefined;
  const listed = (pointer: string): readonly string[] => read<readonly string[]>(pointer) ?? [];
  const enabled = read<readonly string[]>('/plugins/enabled');
  const settings = read<Written['plugins']['settings']>('/plugins/settings') ?? {};
  const folder = path === undefined ? '.' : dirname(path);
  return {
    roots: [bundledPlugins(), ...listed('/plugins/paths').map((root) => resolve(folder, root))],
    rules: {
      enabled: enabled && new Set(enabled),
      disabled: new Set(listed('/plugins/disabled')),
      trusted: new Set(listed('/plugins/trusted')),
      isolated: new Set(listed('/plugins/isolated')),
      settings: new Map(Object.entries(settings)),
    },
    ...(layer === undefined
      ? {}
      : { check: (found) => complaints(settings, found, (pointer) => layer.locate(pointer, 'value')) }),
  };
}

function complaints(
  settings: Written['plugins']['settings'],
  found: readonly LoadedManifest[],
  locate: (pointer: string) => Origin,
): readonly PluginComplaint[] {
  return settingsProblems({ settings, found, elsewhere: [], locate }).map(
    ({ plugin, origin, pointer, message, suggestion }) => ({
      plugin,
      file: origin.kind === 'file' ? `${origin.file}:${origin.line}:${origin.column}` : origin.name,
      pointer,
      message: `${pointer} ${message}`,
      hint: suggestion ?? `Correct the settings of '${plugin}'`,
    }),
  );
}
