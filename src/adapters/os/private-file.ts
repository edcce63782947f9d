import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorTable } from '../../kernel/errors.js';

const fileError = errorTable('private_file', {
  exposed: { category: 'precondition', retryable: false },
  foreign_owner: { category: 'precondition', retryable: false },
  not_a_file: { category: 'precondition', retryable: false },
  unreadable: { category: 'precondition', retryable: false },
  unwritable: { category: 'precondition', retryable: false },
});

/**
 * Writes a file of mode 0600 so that it holds all of the new content or all of the old, even over a power cut, and so
 * that the content is on disk when this resolves. The directory must exist.
 *
 * @throws AppError `private_file.unwritable` when the directory or the disk refuses.
 * @example
 * await writePrivateFile('/var/lib/palyra/token', token);
 */
export async function writePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    await writeDurably(temporary, content);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw fileError('unwritable', `${path} can't be written: ${messageOf(cause)}`, {
      hint: 'Check that the directory exists, that this user may write to it and that the disk has space',
      details: { path },
      cause,
    });
  }
}

/**
 * Reads a file that only its owner may read. Undefined when it doesn't exist.
 *
 * @throws AppError `private_file.exposed` when group or others may read or write it, `private_file.foreign_owner` when it
 *   isn't this user's, `private_file.not_a_file`, `private_file.unreadable`.
 */
export async function readPrivateFile(path: string): Promise<Buffer | undefined> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    await assertPrivate(path, file);
    return await file.readFile();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    if (code?.startsWith('private_file.')) throw error;
    throw fileError('unreadable', `${path} can't be read: ${messageOf(error)}`, {
      hint: `Check with \`ls -l ${path}\` that this user owns it`,
      details: { path },
      cause: error,
    });
  } finally {
    await file?.close();
  }
}

/** Looks at the open file, not at the path, which could name another file by then. */
async function assertPrivate(path: string, file: FileHandle): Promise<void> {
  const stats = await file.stat();
  const details = { path };
  if (!stats.isFile()) {
    throw fileError('not_a_file', `${path} is not a regular file`, {
      hint: 'Name a file, or move this away',
      details,
    });
  }
  if (process.getuid !== undefined && stats.uid !== process.getuid()) {
    throw fileError(
      'foreign_owner',
      `${path} belongs to user ${stats.uid}, not to user ${process.getuid()}`,
      {
        hint: `Run as its owner, or give it to this user with \`chown ${process.getuid()} ${path}\``,
        details,
      },
    );
  }
  if ((stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw fileError(
      'exposed',
      `${path} holds a secret but has mode ${mode}: others than its owner have access`,
      {
        hint: `Run \`chmod 600 ${path}\`, and replace the secret if someone may have read it`,
        details,
      },
    );
  }
}

async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    // The umask can take bits away from the mode that open is given.
    await file.chmod(0o600);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Without this a power cut may undo the rename. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
