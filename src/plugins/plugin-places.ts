import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type RunsAs, refuseUnsafe } from './path-safety.js';
import { manifestError } from './plugin-errors.js';
import { packagedManifest } from './plugin-package.js';

/** Where a plugin may lie. */
export interface PluginPlace {
  /** The folder as it is shown: below the root as that was given. */
  readonly shown: string;
  /** The real path of what it must not lead out of. */
  readonly within: string;
  /** The path of the folder; it may be a link. */
  readonly folder: string;
}

/** How many folders one root may hold, and how many packages its `node_modules`. */
export const placeLimits = { folders: 1_000, packages: 10_000 } as const;

const packagesName = 'node_modules';

/**
 * The folders of one root in which a plugin may lie: those directly below it, and the packages in its `node_modules` whose
 * `package.json` has a `palyra` field. A root that is itself named `node_modules` holds packages only.
 *
 * @throws AppError `plugin.root_unreadable`, `plugin.unsafe_permissions`
 */
export async function placesIn(root: string, self: RunsAs | undefined): Promise<readonly PluginPlace[]> {
  const real = await realpath(root);
  refuseUnsafe(await stat(real), self, { path: real, file: root, pointer: '' });
  if (basename(real) === packagesName) return packagesIn(root, real);
  const entries = await readdir(real, { withFileTypes: true });
  const folders = entries.filter(isFolder).filter(({ name }) => name !== packagesName);
  refuseTooMany(root, folders.length, placeLimits.folders);
  const own = names(folders).map((name) => ({
    shown: join(root, name),
    within: real,
    folder: join(real, name),
  }));
  if (!entries.some((entry) => entry.name === packagesName && isFolder(entry))) return own;
  return [...own, ...(await packagesIn(join(root, packagesName), join(real, packagesName)))];
}

/** The packages that say that they are plugins; the others are nobody's business here. */
async function packagesIn(shown: string, folder: string): Promise<readonly PluginPlace[]> {
  const found = await readdir(folder, { withFileTypes: true });
  const packages = names(found.filter(isFolder));
  const scopes = packages.filter((name) => name.startsWith('@'));
  const scoped = await Promise.all(
    scopes.map(async (scope) => {
      const inner = await readdir(join(folder, scope), { withFileTypes: true });
      return names(inner.filter(isFolder)).map((name) => join(scope, name));
    }),
  );
  const all = [...packages.filter((name) => !name.startsWith('@')), ...scoped.flat()];
  refuseTooMany(shown, all.length, placeLimits.packages);
  const within = await realpath(folder);
  const places: PluginPlace[] = [];
  for (const name of all) {
    const manifest = await packagedManifest(join(folder, name));
    if (manifest === undefined) continue;
    const at = dirname(manifest);
    places.push({ shown: join(shown, name, at), within, folder: join(folder, name, at) });
  }
  return places;
}

function isFolder(entry: Dirent): boolean {
  return (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.');
}

function names(entries: readonly Dirent[]): string[] {
  return entries.map(({ name }) => name).sort();
}

function refuseTooMany(root: string, count: number, most: number): void {
  if (count <= most) return;
  const problem = `holds ${count} folders; at most ${most} are looked at`;
  const hint = 'Name a folder that holds plugins and nothing else';
  throw manifestError('root_unreadable', root, { pointer: '', problem, hint });
}
