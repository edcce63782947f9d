import { fileURLToPath } from 'node:url';

/** The program that runs in the process of a plugin: one file, written by the build, for the sources as for the build. */
export function childProgram(): string {
  const up = import.meta.url.includes('/dist/')
    ? '../../../plugin-child.mjs'
    : '../../../dist/plugin-child.mjs';
  return fileURLToPath(new URL(up, import.meta.url));
}
