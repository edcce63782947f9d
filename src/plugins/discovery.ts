import { join } from 'node:path';
import { AppError } from '../kernel/errors.js';
import { bundledPlugins } from './bundled.js';
import type { ManifestContext } from './manifest.js';
import { type RunsAs, runsAs } from './path-safety.js';
import { manifestError } from './plugin-errors.js';
import { type PluginFolder, readPluginFolder } from './plugin-folder.js';
import { type PluginPlace, placesIn } from './plugin-places.js';

/** A plugin that was found and is sound, as far as that can be told without running it. Paths are real and absolute. */
export interface LoadedManifest extends PluginFolder {
  /** The root in which it was found, as it was given to {@link discoverPlugins}. */
  readonly root: string;
}

/** A plugin that is left out, and why. Plain JSON. */
export interface Quarantine {
  /** The plugin's name, or its folder's when the name can't be told. */
  readonly plugin: string;
  readonly file: string;
  /** JSON pointer in the file; '' is all of it. */
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface Discovery {
  readonly plugins: readonly LoadedManifest[];
  readonly quarantined: readonly Quarantine[];
}

export interface DiscoveryContext extends ManifestContext {
  /** Whose files are trusted beside root's. Default: those of the account that runs this process. */
  readonly self?: RunsAs;
}

/** How many plugins are read at a time. */
const together = 16;

/**
 * Finds the plugins `<root>/<name>/plugin.json`, and those among the packages in `<root>/node_modules` whose `package.json`
 * has a `palyra` field. Reads manifests and never runs a plugin's code. What is wrong with one plugin is reported in
 * `quarantined` and touches no other.
 *
 * Roots come in the order of trust: where two plugins have one name, or give one capability, the earlier root's stays and
 * the other is quarantined with both paths; in one root the order is that of the folders' names. A root that can't be read,
 * or that others may write to, is quarantined itself. Never throws for what lies on the disk.
 *
 * @example const { plugins, quarantined } = await discoverPlugins(['plugins']);
 */
export async function discoverPlugins(
  roots: readonly string[],
  context: DiscoveryContext = {},
): Promise<Discovery> {
  const plugins: LoadedManifest[] = [];
  const quarantined: Quarantine[] = [];
  const claims = new Claims();
  for (const root of roots) {
    for (const found of await readRoot(root, context)) {
      const outcome = 'manifest' in found ? (claims.take(found) ?? found) : found;
      if ('manifest' in outcome) plugins.push(outcome);
      else quarantined.push(outcome);
    }
  }
  return { plugins, quarantined };
}

/** The quarantine entry of an error that names its file and pointer. */
export function quarantineOf(error: AppError, plugin: string, file: string): Quarantine {
  const pointer = error.details?.pointer;
  return {
    plugin,
    file,
    pointer: typeof pointer === 'string' ? pointer : '',
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

async function readRoot(
  root: string,
  context: DiscoveryContext,
): Promise<readonly (LoadedManifest | Quarantine)[]> {
  // Who can write to the bundled plugins can write to the program beside them.
  const self = root === bundledPlugins() ? undefined : (context.self ?? runsAs());
  try {
    const places = await placesIn(root, self);
    const found: (LoadedManifest | Quarantine)[] = [];
    for (let first = 0; first < places.length; first += together) {
      const some = places.slice(first, first + together);
      found.push(...(await Promise.all(some.map((place) => readPlugin(root, place, context, self)))));
    }
    return found;
  } catch (thrown) {
    if (thrown instanceof AppError) return [quarantineOf(thrown, root, root)];
    const problem = { pointer: '', problem: 'can not be read as a folder of plugins', cause: thrown };
    const hint = 'Create the folder, or take it out of the configuration';
    return [quarantineOf(manifestError('root_unreadable', root, { ...problem, hint }), root, root)];
  }
}

async function readPlugin(
  root: string,
  place: PluginPlace,
  context: DiscoveryContext,
  self: RunsAs | undefined,
): Promise<LoadedManifest | Quarantine> {
  const name = place.shown.slice(root.length).replace(/^\/(node_modules\/)?/, '');
  const file = join(place.shown, 'plugin.json');
  try {
    return { root, ...(await readPluginFolder(place, context, self)) };
  } catch (thrown) {
    if (thrown instanceof AppError) return quarantineOf(thrown, name, file);
    const problem = 'can not be read';
    const hint = 'Make it a file that the account of this program may read';
    const error = manifestError('unreadable', file, { pointer: '', problem, hint, cause: thrown });
    return quarantineOf(error, name, file);
  }
}

/** Which manifest has which names. */
class Claims {
  readonly #plugins = new Map<string, string>();
  readonly #capabilities = new Map<string, string>();

  /** Takes the names of a plugin; if another has one of them, takes none and says which. */
  take({ manifest, file }: LoadedManifest): Quarantine | undefined {
    const refused = (pointer: string, problem: string): Quarantine => {
      const hint = 'Rename one of them, or take one of the two folders away';
      const error = manifestError('name_clash', file, { pointer, problem, hint });
      return quarantineOf(error, manifest.name, file);
    };
    const { name, capabilities } = manifest;
    const other = this.#plugins.get(name);
    if (other !== undefined) return refused('/name', `names the plugin '${name}', which is also at ${other}`);
    for (const [index, capability] of capabilities.entries()) {
      const giver = this.#capabilities.get(capability.name);
      if (giver === undefined) continue;
      const problem = `gives the capability '${capability.name}', which ${giver} gives too`;
      return refused(`/capabilities/${index}/name`, problem);
    }
    this.#plugins.set(name, file);
    for (const capability of capabilities) this.#capabilities.set(capability.name, file);
    return undefined;
  }
}
