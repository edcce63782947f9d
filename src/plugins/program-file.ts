import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pluginError } from './plugin-errors.js';

/**
 * The program of a thread, which runs JavaScript only: the file itself when it was compiled, else what `npm run build` has made of it.
 *
 * @param path its path below `src/plugins`, with the ending `.js`
 * @throws AppError `plugin.load_failed` when it is missing
 */
export function programFile(path: string): string {
  const base = import.meta.url.endsWith('.js') ? './' : '../../dist/src/plugins/';
  const file = fileURLToPath(new URL(base + path, import.meta.url));
  if (existsSync(file)) return file;
  throw pluginError('load_failed', `${file} is missing`, { hint: 'Run `npm run build`' });
}
