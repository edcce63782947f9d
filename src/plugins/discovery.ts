import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { AppError } from '../kernel/errors.js';
import { type ManifestContext, manifestLimit, parseManifest } from './manifest.js';
import type { Manifest } from './manifest-schema.js';
import { manifestError } from './plugin-errors.js';

/** A plugin that was found and is sound, as far as that can be told without running it. Paths are real and absolute. */
export interface LoadedManifest {
  readonly manifest: Manifest;
  /** The root in which it was found, as it was given to {@link discoverPlugins}. */
  readonly root: string;
  readonly folder: string;
  /** The path of `plugin.json`. */
  readonly file: string;
  /** The path of the JavaScript file. */
  readonly entry: string;
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

/**
 * Finds the plugins `<root>/<name>/plugin.json`. Reads manifests and never runs a plugin's code. What is wrong with one
 * plugin is reported in `quarantined` and touches no other.
 *
 * Roots come in the order of trust: where two plugins have one name, or give one capability, the earlier root's stays and
 * the other is quarantined; in one root the order is that of the folders' names. A root that can't be read is quarantined
 * itself. Never throws for what lies on the disk.
 *
 * @example const { plugins, quarantined } = await discoverPlugins(['plugins']);
 */
export async function discoverPlugins(
  roots: readonly string[],
  context: ManifestContext = {},
): Promise<Discovery> {
  const plugins: LoadedManifest[] = [];
  const quarantined: Quarantine[] = [];
  for (const root of roots) {
    for (const found of await readRoot(root, context)) {
      const outcome = 'manifest' in found ? (clash(found, plugins) ?? found) : found;
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
  context: ManifestContext,
): Promise<readonly (LoadedManifest | Quarantine)[]> {
  try {
    const real = await realpath(root);
    const entries = await readdir(real, { withFileTypes: true });
    const names = entries
      .filter(
        (entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !/^\.|^node_modules$/.test(entry.name),
      )
      .map((entry) => entry.name)
      .sort();
    return await Promise.all(names.map((name) => readPlugin(root, real, name, context)));
  } catch (cause) {
    const problem = { pointer: '', problem: 'can not be read as a folder of plugins', cause };
    const hint = 'Create the folder, or take it out of the configuration';
    return [quarantineOf(manifestError('root_unreadable', root, { ...problem, hint }), root, root)];
  }
}

async function readPlugin(
  root: string,
  realRoot: string,
  name: string,
  context: ManifestContext,
): Promise<LoadedManifest | Quarantine> {
  const shown = join(root, name, 'plugin.json');
  try {
    const folder = await contained(realRoot, join(realRoot, name), shown, 'its folder', '');
    const file = await contained(folder, join(folder, 'plugin.json'), shown, 'plugin.json', '');
    const manifest = parseManifest(await readText(file, shown), shown, context);
    const entry = await findEntry(folder, manifest, shown);
    return { manifest, root, folder, file, entry };
  } catch (thrown) {
    if (thrown instanceof AppError) return quarantineOf(thrown, name, shown);
    const problem = 'can not be read';
    return quarantineOf(
      manifestError('unreadable', shown, { pointer: '', problem, cause: thrown }),
      name,
      shown,
    );
  }
}

async function findEntry(folder: string, manifest: Manifest, file: string): Promise<string> {
  const entry = await contained(
    folder,
    join(folder, manifest.entry),
    file,
    `entry '${manifest.entry}'`,
    '/entry',
  );
  const isFile = (await stat(entry)).isFile();
  if (isFile && /\.(js|mjs)$/.test(entry)) return entry;
  const hint = 'Name the bundled JavaScript file';
  const problem = isFile ? 'is a link to a file that is not JavaScript' : 'is not a file';
  throw manifestError('entry_not_javascript', file, { pointer: '/entry', problem, hint });
}

/** The real path of something that must exist inside `parent`, however many links lead to it. */
async function contained(
  parent: string,
  path: string,
  file: string,
  what: string,
  pointer: string,
): Promise<string> {
  let real: string;
  try {
    real = await realpath(path);
  } catch (cause) {
    const missing = pointer === '' ? 'unreadable' : 'entry_missing';
    const problem = `${what} does not exist or can not be read`;
    throw manifestError(missing, file, {
      pointer,
      problem,
      hint: 'Build the plugin, or remove its folder',
      cause,
    });
  }
  if (real.startsWith(parent.endsWith(sep) ? parent : parent + sep)) return real;
  const problem = `${what} is a link that leads out of the folder`;
  throw manifestError('folder_escape', file, { pointer, problem, hint: 'Copy the files into the folder' });
}

/** Reads through one handle, so that what is measured is what is read. */
async function readText(path: string, file: string): Promise<string> {
  const handle = await open(path);
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw manifestError('unreadable', file, { pointer: '', problem: 'is not a file' });
    if (info.size > manifestLimit) {
      const problem = `is ${info.size} bytes long; at most ${manifestLimit} are read`;
      throw manifestError('manifest_too_large', file, { pointer: '', problem });
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile());
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    throw manifestError('manifest_not_json', file, {
      pointer: '',
      problem: 'is not UTF-8 text',
      cause: thrown,
    });
  } finally {
    await handle.close();
  }
}

function clash(found: LoadedManifest, plugins: readonly LoadedManifest[]): Quarantine | undefined {
  const { manifest, file } = found;
  const hint = 'Rename one of them, or disable one';
  for (const other of plugins) {
    if (other.manifest.name === manifest.name) {
      const problem = `names the plugin '${manifest.name}', which is also at ${other.file}`;
      return quarantineOf(
        manifestError('name_clash', file, { pointer: '/name', problem, hint }),
        manifest.name,
        file,
      );
    }
    for (const [index, { name }] of manifest.capabilities.entries()) {
      if (!other.manifest.capabilities.some((capability) => capability.name === name)) continue;
      const pointer = `/capabilities/${index}/name`;
      const problem = `gives the capability '${name}', which ${other.file} gives too`;
      return quarantineOf(manifestError('name_clash', file, { pointer, problem, hint }), manifest.name, file);
    }
  }
  return undefined;
}
