import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Secret } from '../../kernel/secret.js';
import { beginsEncrypted, decrypted } from './archive-cipher.js';
import { backupError, damaged } from './backup-errors.js';
import { ByteReader } from './byte-reader.js';
import {
  checksumFile,
  checksumOf,
  type Manifest,
  type ManifestFile,
  manifestFile,
  manifestLimit,
  parseManifest,
} from './manifest.js';
import { contentOf, nextEntry } from './tar-archive.js';

export interface ReadBackupOptions {
  readonly file: string;
  readonly passphrase?: Secret<string>;
  /** An existing private directory that gets the files, each of mode 0600. Without it they are only checked. */
  readonly into?: string;
}

/** How many bytes are looked at to tell what kind of file it is. */
const kindBytes = 16;

/**
 * Reads a backup from its first byte to its last and checks every one: the encryption, the form of the archive, the manifest
 * and the hash of each file. Files are written under the names that this program knows, never under a name from the archive.
 *
 * @throws AppError `backup.not_a_backup`, `backup.passphrase_missing`, `backup.wrong_passphrase`, `backup.newer_format`,
 *   `backup.damaged`, `backup.no_space`. What was written by then is incomplete.
 */
export async function readBackup({ file, passphrase, into }: ReadBackupOptions): Promise<Manifest> {
  const handle = await openFile(file);
  try {
    const raw = new ByteReader(handle.createReadStream({ autoClose: false }));
    return await readArchive(await archiveOf(raw, file, passphrase), into);
  } finally {
    await handle.close();
  }
}

async function readArchive(archive: ByteReader, into: string | undefined): Promise<Manifest> {
  const head = await smallFile(manifestFile, archive);
  const manifest = parseManifest(head);
  if (into !== undefined) await requireSpace(into, manifest);
  for (const listed of manifest.files) {
    const entry = await nextEntry(archive);
    if (entry?.name !== listed.name || entry.size !== listed.size)
      throw damaged(`${listed.name} is not where its manifest says`);
    await take(listed, contentOf(entry, archive), into);
  }
  if (!checksumOf(head).equals(await smallFile(checksumFile, archive)))
    throw damaged('its manifest is not what was written');
  if (await nextEntry(archive)) throw damaged('it holds a file that its manifest does not list');
  return manifest;
}

async function openFile(file: string): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
  } catch (cause) {
    throw notABackup(file, cause instanceof Error ? cause.message : String(cause));
  }
  await handle.close();
  throw notABackup(file, 'it is not a regular file');
}

async function archiveOf(
  raw: ByteReader,
  file: string,
  passphrase: Secret<string> | undefined,
): Promise<ByteReader> {
  const begin = await raw.peek(kindBytes);
  if (beginsEncrypted(begin)) return new ByteReader(decrypted(raw, passphrase));
  if (begin.toString('latin1').startsWith(`${manifestFile}\0`)) return raw;
  throw notABackup(file, 'it begins like something else');
}

function notABackup(file: string, why: string) {
  return backupError('not_a_backup', `${file} is not a backup of palyra: ${why}`, {
    hint: 'Name a file that `palyra backup` made',
    details: { file },
  });
}

async function smallFile(name: string, archive: ByteReader): Promise<Buffer> {
  const entry = await nextEntry(archive);
  if (entry?.name !== name || entry.size > manifestLimit) throw damaged(`${name} is not where it should be`);
  const pieces: Buffer[] = [];
  for await (const piece of contentOf(entry, archive)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Reads one file to its end and checks it; writes it if there is a directory to write to. */
async function take(
  { name, sha256 }: ManifestFile,
  content: AsyncIterable<Buffer>,
  into: string | undefined,
): Promise<void> {
  const hash = createHash('sha256');
  let target: FileHandle | undefined;
  try {
    if (into !== undefined) {
      target = await open(join(into, name), 'wx', 0o600);
      await target.chmod(0o600);
    }
    for await (const piece of content) {
      hash.update(piece);
      await target?.writeFile(piece);
    }
    await target?.sync();
  } finally {
    await target?.close();
  }
  if (hash.digest('hex') !== sha256) throw damaged(`${name} is not what its manifest says`);
}

async function requireSpace(directory: string, { files }: Manifest): Promise<void> {
  const needed = files.reduce((sum, { size }) => sum + size, 0);
  const { bavail, bsize } = await statfs(directory);
  if (needed <= bavail * bsize) return;
  throw backupError(
    'no_space',
    `The backup takes ${needed} bytes; ${directory} has room for ${bavail * bsize}`,
    {
      hint: 'Make room on that disk, or restore to another one with --state-dir',
      details: { needed, directory },
    },
  );
}
