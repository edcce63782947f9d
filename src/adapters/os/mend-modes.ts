import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelLog } from '../../kernel/log.js';

/**
 * Takes from group and others what a copy or an odd tool has given them: files below the directory get 0600, directories
 * 0700. Links are not followed. Each change is logged.
 *
 * @throws what the file system throws when this user may not change a mode.
 */
export function mendModes(directory: string, log?: Pick<KernelLog, 'warn'>): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      mend(path, 0o700, log);
      mendModes(path, log);
    } else if (entry.isFile()) {
      mend(path, 0o600, log);
    }
  }
}

function mend(path: string, mode: number, log: Pick<KernelLog, 'warn'> | undefined): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || (found.mode & 0o777) === mode) return;
  chmodSync(path, mode);
  log?.warn(
    { path, was: octal(found.mode), now: octal(mode) },
    'Mended the mode of a file in the state directory',
  );
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
