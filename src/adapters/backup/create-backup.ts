import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import type { Secret } from '../../kernel/secret.js';
import { openStateDirectory } from '../os/state-directory.js';
import { encrypted } from './archive-cipher.js';
import { authoritiesIn } from './backed-up-authorities.js';
import { backupError } from './backup-errors.js';
import { digestOf, digestOfFile } from './file-digest.js';
import {
  checksumFile,
  checksumOf,
  type Manifest,
  manifestFile,
  manifestOf,
  stateFileNames,
} from './manifest.js';
import { readBackup } from './read-backup.js';
import { type StateSnapshot, snapshotState } from './state-snapshot.js';
import { type TarFile, tarOf } from './tar-archive.js';

export interface CreateBackupOptions {
  readonly stateDirectory: string;
  /** The archive. It must not exist. */
  readonly file: string;
  /** Without one the archive holds the CA key in clear (if that is not sealed). */
  readonly passphrase?: Secret<string>;
  /** The daemon's config file, to go along. */
  readonly configFile?: string;
  /** Of the program. */
  readonly version: string;
  readonly clock: Clock;
  /** Of scrypt; less than the standard is for tests. */
  readonly cost?: number;
}

export interface CreatedBackup {
  readonly manifest: Manifest;
  /** Of the archive. */
  readonly bytes: number;
  /** Whether a daemon was working in the directory. */
  readonly running: boolean;
}

/**
 * Backs a daemon's state up to one file, of mode 0600, while the daemon runs or when it does not. What was written is read
 * again and checked before it gets its name.
 *
 * It works on the files, as the user whom they belong to, and there is no route of the control plane for it: the CA key must
 * not be one request away from whoever holds a token.
 *
 * @throws AppError `backup.exists`, `backup.no_state`, `backup.changing`, `state.absent`, `state.locked` when a program other
 *   than the daemon holds the directory.
 */
export async function createBackup(options: CreateBackupOptions): Promise<CreatedBackup> {
  const { stateDirectory, file, clock } = options;
  refuseExisting(file);
  const release = await holdUnlessServed(stateDirectory);
  try {
    const snapshot = await snapshotState(stateDirectory, clock);
    try {
      return { ...(await writeArchive(options, snapshot)), running: release === undefined };
    } finally {
      await snapshot.remove();
    }
  } finally {
    release?.();
  }
}

/** Keeps a daemon from starting in the middle; undefined when one runs, which does no harm. */
async function holdUnlessServed(stateDirectory: string): Promise<(() => void) | undefined> {
  try {
    const directory = await openStateDirectory(stateDirectory, { program: 'palyra backup', mustExist: true });
    return () => directory.release();
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'state.locked' && thrown.details?.program === 'palyrad')
      return undefined;
    throw thrown;
  }
}

async function writeArchive(
  options: CreateBackupOptions,
  snapshot: StateSnapshot,
): Promise<{ readonly manifest: Manifest; readonly bytes: number }> {
  const { file, passphrase, version, clock, cost } = options;
  const parts = await partsOf(snapshot, options.configFile);
  const createdAt = clock.now();
  const manifest = manifestOf({
    version,
    createdAt: new Date(createdAt).toISOString(),
    authorities: [...authoritiesIn(snapshot.contents.get('ca.crt') ?? Buffer.alloc(0))],
    files: parts.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
  });
  const head = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  const files = [fileOf(manifestFile, head), ...parts, fileOf(checksumFile, checksumOf(head))];
  const tar = tarOf(files, createdAt);
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    await writeStream(temporary, passphrase ? encrypted(tar, passphrase, cost) : tar);
    await readBackup({ file: temporary, ...(passphrase ? { passphrase } : {}) });
    const { size } = await stat(temporary);
    refuseExisting(file);
    await rename(temporary, file);
    await syncDirectory(dirname(file));
    return { manifest, bytes: size };
  } finally {
    await rm(temporary, { force: true });
  }
}

function fileOf(name: string, content: Buffer): TarFile {
  return { name, size: content.length, content: [content] };
}

interface Part extends TarFile {
  readonly name: (typeof stateFileNames)[number];
  readonly sha256: string;
}

async function partsOf(snapshot: StateSnapshot, configFile: string | undefined): Promise<readonly Part[]> {
  const contents = new Map<string, Buffer>(snapshot.contents);
  if (configFile !== undefined) contents.set('palyra.yaml', await readFile(configFile));
  const database = await digestOfFile(snapshot.database);
  return stateFileNames.flatMap((name): readonly Part[] => {
    if (name === 'palyra.db') return [{ name, ...database, content: contentOf(snapshot.database) }];
    const content = contents.get(name);
    return content ? [{ name, size: content.length, sha256: digestOf(content), content: [content] }] : [];
  });
}

/** Opens the file when it is read. */
async function* contentOf(path: string): AsyncGenerator<Buffer> {
  yield* createReadStream(path) as AsyncIterable<Buffer>;
}

function refuseExisting(file: string): void {
  if (!existsSync(file)) return;
  throw backupError('exists', `${file} is there already`, {
    hint: 'Name another file: a backup never replaces one',
    details: { file },
  });
}

async function writeStream(path: string, bytes: AsyncIterable<Buffer>): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'wx', 0o600);
    await file.chmod(0o600);
    for await (const piece of bytes) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file?.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
