import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { serviceError } from './service-errors.js';

/**
 * Writes a file of a manager, whole or not at all. It holds no secret, and its manager must be able to read it.
 *
 * @returns whether it was there, and with other content
 * @throws AppError `service.manager_failed` when it can't be written.
 */
export async function writeUnitFile(
  path: string,
  content: string,
): Promise<'created' | 'changed' | 'unchanged'> {
  try {
    const before = await readIfThere(path);
    if (before === content) return 'unchanged';
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}.tmp`;
    await writeFile(temporary, content, { mode: 0o644 });
    await rename(temporary, path);
    return before === undefined ? 'created' : 'changed';
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** Deletes a file of a manager. @returns whether it was there. @throws AppError `service.manager_failed`. */
export async function removeUnitFile(path: string): Promise<boolean> {
  try {
    if ((await readIfThere(path)) === undefined) return false;
    await rm(path);
    return true;
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** Whether there is such a file. */
export async function hasUnitFile(path: string): Promise<boolean> {
  return (await readIfThere(path).catch(() => undefined)) !== undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function unwritable(path: string, cause: unknown) {
  const message = cause instanceof Error ? cause.message : String(cause);
  return serviceError('manager_failed', `${path} can't be written: ${message}`, {
    hint: 'Check that this user may write there, or take another manager: --manager detached',
    cause,
  });
}
