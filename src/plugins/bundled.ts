import { fileURLToPath } from 'node:url';

/** The folder of the plugins that come with this package, from the sources as from the build. */
export function bundledPlugins(): string {
  const up = import.meta.url.includes('/dist/') ? '../../../plugins' : '../../plugins';
  return fileURLToPath(new URL(up, import.meta.url));
}
