import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Does in a new plugin's folder what `npm install` does, from what is on this machine. */
export function installFromHere(folder: string): void {
  const modules = join(folder, 'node_modules');
  const bin = join(modules, '.bin');
  mkdirSync(bin, { recursive: true });
  symlinkSync(root, join(modules, 'palyra-node-runtime'));
  for (const name of ['vitest', 'typescript']) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  for (const name of ['vitest', 'tsc'])
    symlinkSync(join(root, 'node_modules', '.bin', name), join(bin, name));
  const palyra = join(bin, 'palyra');
  const program = join(root, 'dist/src/cli/palyra.js');
  writeFileSync(palyra, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(palyra, 0o755);
}
