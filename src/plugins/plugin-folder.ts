import { realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { type ManifestContext, manifestLimit, parseManifest } from './manifest.js';
import type { Manifest } from './manifest-schema.js';
import { type RunsAs, refuseUnsafe } from './path-safety.js';
import { manifestError } from './plugin-errors.js';
import type { PluginPlace } from './plugin-places.js';
import { readSmallFile, UnfitFile } from './small-file.js';

/** The most bytes of a plugin's code. */
const entryLimit = 32 * 1024 * 1024;

/** What lies in a plugin's folder. Paths are real and absolute. */
export interface PluginFolder {
  readonly manifest: Manifest;
  readonly folder: string;
  /** The path of `plugin.json`. */
  readonly file: string;
  /** The path of the JavaScript file. */
  readonly entry: string;
}

/**
 * Reads one plugin's folder without running its code: nothing in it may lead out of it, nobody else may be able to change it.
 *
 * @param self whose files are trusted; undefined when all are
 * @throws AppError `plugin.*` that names the manifest as it is shown; whatever the system throws
 */
export async function readPluginFolder(
  place: PluginPlace,
  context: ManifestContext,
  self: RunsAs | undefined,
): Promise<PluginFolder> {
  const shown = join(place.shown, 'plugin.json');
  const at = { file: shown, pointer: '' };
  const folder = await contained(place.within, place.folder, shown, 'its folder', '');
  refuseUnsafe(await stat(folder), self, { path: folder, ...at });
  const file = await contained(folder, join(folder, 'plugin.json'), shown, 'plugin.json', '');
  const text = await readText(file, shown, self);
  const manifest = parseManifest(text, shown, context);
  const entry = await findEntry(folder, manifest, shown, self);
  return { manifest, folder, file, entry };
}

async function findEntry(
  folder: string,
  { entry: written }: Manifest,
  file: string,
  self: RunsAs | undefined,
): Promise<string> {
  const pointer = '/entry';
  const entry = await contained(folder, join(folder, written), file, `entry '${written}'`, pointer);
  const facts = await stat(entry);
  const hint = 'Name the bundled JavaScript file';
  if (!facts.isFile()) {
    throw manifestError('entry_not_javascript', file, { pointer, problem: 'is not a file', hint });
  }
  if (!/\.(js|mjs)$/.test(entry)) {
    const problem = 'is a link to a file that is not JavaScript';
    throw manifestError('entry_not_javascript', file, { pointer, problem, hint });
  }
  if (facts.size > entryLimit) {
    const problem = `is ${facts.size} bytes long; at most ${entryLimit} are loaded`;
    const smaller = 'Bundle only what the plugin uses, and keep data in files of its own';
    throw manifestError('entry_too_large', file, { pointer, problem, hint: smaller });
  }
  for (const path of [...foldersBetween(folder, entry), entry]) {
    refuseUnsafe(await stat(path), self, { path, file, pointer });
  }
  return entry;
}

/** The folders below `folder` that lead to a file in it. */
function foldersBetween(folder: string, file: string): readonly string[] {
  const steps = relative(folder, dirname(file)).split(sep).filter(Boolean);
  return steps.map((_, index) => join(folder, ...steps.slice(0, index + 1)));
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
    const hint = 'Build the plugin, or remove its folder';
    throw manifestError(missing, file, { pointer, problem, hint, cause });
  }
  if (real.startsWith(parent.endsWith(sep) ? parent : parent + sep)) return real;
  const problem = `${what} is a link that leads out of the folder`;
  throw manifestError('folder_escape', file, { pointer, problem, hint: 'Copy the files into the folder' });
}

async function readText(path: string, file: string, self: RunsAs | undefined): Promise<string> {
  const pointer = '';
  try {
    return await readSmallFile(path, manifestLimit, (info) =>
      refuseUnsafe(info, self, { path, file, pointer }),
    );
  } catch (thrown) {
    if (thrown instanceof TypeError) {
      const hint = 'Save the file as UTF-8';
      throw manifestError('manifest_not_json', file, {
        pointer,
        problem: 'is not UTF-8 text',
        hint,
        cause: thrown,
      });
    }
    if (!(thrown instanceof UnfitFile)) throw thrown;
    const code = thrown.size === undefined ? 'unreadable' : 'manifest_too_large';
    const hint = 'Run the build again: it writes plugin.json from the code';
    throw manifestError(code, file, { pointer, problem: thrown.message, hint });
  }
}
