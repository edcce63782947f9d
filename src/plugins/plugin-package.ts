import { join, posix } from 'node:path';
import { readSmallFile } from './small-file.js';

/** The most bytes of a `package.json` that are read. */
const packageLimit = 1024 * 1024;

/** Where the manifest of a package lies when its `palyra` field does not say anything else. */
const usual = 'plugin.json';

/**
 * Where a package has its manifest, relative to its folder: its `package.json` says so in the field `palyra`, as in
 * `"palyra": "plugin.json"`. Undefined for a package that is no plugin. A field that leads out of the package, or is no text,
 * counts as the usual place: what is wrong is then told of that file.
 *
 * @example await packagedManifest('node_modules/palyra-plugin-printer') // 'plugin.json'
 */
export async function packagedManifest(folder: string): Promise<string | undefined> {
  let document: unknown;
  try {
    document = JSON.parse(await readSmallFile(join(folder, 'package.json'), packageLimit));
  } catch {
    return undefined;
  }
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, 'palyra')) {
    return undefined;
  }
  const { palyra } = document as { readonly palyra?: unknown };
  if (typeof palyra !== 'string' || posix.basename(palyra) !== usual) return usual;
  const at = posix.normalize(palyra);
  return posix.isAbsolute(at) || at.startsWith('..') ? usual : at;
}
