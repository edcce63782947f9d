import { access, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pluginError } from '../plugin-errors.js';

/** A plugin that is being written: a folder with source code. */
export interface PluginProject {
  /** The folder, as its real path. */
  readonly folder: string;
  /** The folder's own name, by which it is called until its code has said how. */
  readonly name: string;
  /** The source file that exports the definition. */
  readonly source: string;
  /** Where the bundle goes, the `entry` of the manifest. */
  readonly bundle: string;
  readonly manifest: string;
}

/** Where the bundle of a plugin is, below its folder. */
export const bundlePath = 'dist/index.js';

const sourcePaths = ['src/index.ts', 'src/index.js'] as const;

/**
 * Finds the source of the plugin in a folder: `src/index.ts` or `src/index.js`.
 *
 * @throws AppError `plugin.no_source`
 */
export async function openProject(folder: string): Promise<PluginProject> {
  const real = await realpath(folder).catch(() => undefined);
  if (real === undefined) {
    throw pluginError('no_source', `There is no folder ${folder}`, {
      hint: 'Make a plugin with `palyra plugin new`, or name the folder of one',
    });
  }
  for (const path of sourcePaths) {
    const source = join(real, path);
    if (!(await exists(source))) continue;
    return {
      folder: real,
      name: basename(real),
      source,
      bundle: join(real, bundlePath),
      manifest: join(real, 'plugin.json'),
    };
  }
  throw pluginError('no_source', `${folder} has no source of a plugin: no ${sourcePaths.join(' and no ')}`, {
    hint: 'Name the folder of a plugin, or make one with `palyra plugin new`',
  });
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
