import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { barringActions, type Revocation, type RevocationLog } from '../../actors/device/revocations.js';
import { isDeviceId } from '../../actors/identity/device-id.js';
import { errorTable } from '../../kernel/errors.js';
import { readPrivateFile } from '../os/private-file.js';

const revocationError = errorTable('revocations', {
  damaged: { category: 'precondition', retryable: false },
  unwritable: { category: 'unavailable', retryable: true },
});

/** One line of the file: the decision, and a hash over it and the line before. */
interface Line extends Omit<Revocation, 'at'> {
  /** RFC 3339, UTC. */
  readonly at: string;
  /** SHA-256 of the hash of the line before ('' for the first) and of this line without its hash, hex. */
  readonly hash: string;
}

/** What a file of revocations holds. */
export interface ReadRevocations {
  /** In the order in which they were decided. */
  readonly revocations: readonly Revocation[];
  /** Bytes of the lines that are whole. */
  readonly length: number;
  /** Bytes of a last line that was not written to its end: the daemon or the machine died in it. */
  readonly torn: number;
  /** Hash of the last line; '' when there is none. */
  readonly hash: string;
}

/**
 * Reads the content of a file of revocations: one JSON object a line, each with a hash that covers the one before, so that a
 * line that was changed, lost or moved is noticed. A last line without its end counts as never written.
 *
 * @param path what the content is called in errors.
 * @throws AppError `revocations.damaged` that names the first line that is not as it was written.
 */
export function parseRevocations(content: Uint8Array, path: string): ReadRevocations {
  const text = Buffer.from(content);
  const length = text.lastIndexOf(0x0a) + 1;
  const lines = length === 0 ? [] : text.toString('utf8', 0, length - 1).split('\n');
  const revocations: Revocation[] = [];
  let hash = '';
  for (const [at, line] of lines.entries()) {
    const revocation = parseLine(line, hash);
    if (typeof revocation === 'string') throw damaged(path, at + 1, revocation);
    revocations.push(revocation);
    hash = hashOf(revocation, hash);
  }
  return { revocations, length, torn: text.length - length, hash };
}

/** One decision as a line of the file, with its end. */
export function revocationLine(revocation: Revocation, previousHash: string): string {
  return `${JSON.stringify({ ...plain(revocation), hash: hashOf(revocation, previousHash) } satisfies Line)}\n`;
}

/** A whole file of revocations, as it would be had they been decided in this order. */
export function revocationsText(revocations: readonly Revocation[]): string {
  let hash = '';
  return revocations
    .map((revocation) => {
      const line = revocationLine(revocation, hash);
      hash = hashOf(revocation, hash);
      return line;
    })
    .join('');
}

/**
 * The decisions about devices in a file beside the database, `revocations.log`: only ever appended to, and synced with each
 * line (protocol.md 16). Of each device the last decision is kept in memory.
 */
export class RevocationFile implements RevocationLog {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #latest = new Map<string, Revocation>();
  #length: number;
  #hash: string;
  /** How many bytes of a line that was not written to its end were cut off when the file was opened. */
  readonly torn: number;
  /** The end of the file is not what it should be, and could not be put right. */
  #isBroken = false;

  private constructor(path: string, file: FileHandle, read: ReadRevocations) {
    this.#path = path;
    this.#file = file;
    this.#length = read.length;
    this.#hash = read.hash;
    this.torn = read.torn;
    for (const revocation of read.revocations) this.#latest.set(revocation.deviceId, revocation);
  }

  /**
   * Opens the file, which is made if there is none.
   *
   * @throws AppError `revocations.damaged`, `revocations.unwritable`, and those of {@link readPrivateFile}.
   */
  static async open(path: string): Promise<RevocationFile> {
    const content = await readPrivateFile(path);
    const read = parseRevocations(content ?? new Uint8Array(0), path);
    try {
      const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o600);
      if (read.torn > 0) await file.truncate(read.length);
      if (content === undefined || read.torn > 0) await syncWithDirectory(path, file);
      return new RevocationFile(path, file, read);
    } catch (cause) {
      throw unwritable(path, cause);
    }
  }

  latest(): IterableIterator<Revocation> {
    return this.#latest.values();
  }

  of(deviceId: string): Revocation | undefined {
    return this.#latest.get(deviceId);
  }

  async append(revocation: Revocation): Promise<void> {
    if (this.#isBroken) throw unwritable(this.#path, 'an earlier line could not be taken back');
    const line = Buffer.from(revocationLine(revocation, this.#hash));
    try {
      await this.#file.appendFile(line);
      await this.#file.sync();
    } catch (cause) {
      await this.#takeBack();
      throw unwritable(this.#path, cause);
    }
    this.#length += line.length;
    this.#hash = hashOf(revocation, this.#hash);
    this.#latest.set(revocation.deviceId, revocation);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** What was written of a line that was refused must not stand before the next one. */
  async #takeBack(): Promise<void> {
    try {
      await this.#file.truncate(this.#length);
    } catch {
      this.#isBroken = true;
    }
  }
}

function plain({ deviceId, action, at, by, reason }: Revocation): Omit<Line, 'hash'> {
  return { deviceId, action, at: new Date(at).toISOString(), by, reason };
}

function hashOf(revocation: Revocation, previousHash: string): string {
  return createHash('sha256')
    .update(`${previousHash}\n${JSON.stringify(plain(revocation))}`)
    .digest('hex');
}

/** The decision in a line, or what is wrong with it. */
function parseLine(line: string, previousHash: string): Revocation | string {
  let value: Partial<Line>;
  try {
    value = JSON.parse(line) as Partial<Line>;
  } catch {
    return 'is not JSON';
  }
  const { deviceId = '', by, reason, hash } = value ?? {};
  const action = ([...barringActions, 'lift'] as const).find((one) => one === value?.action);
  const at = Date.parse(value?.at ?? '');
  if (!isDeviceId(deviceId) || action === undefined || Number.isNaN(at))
    return 'names no decision about a device';
  if (typeof by !== 'string' || typeof reason !== 'string') return 'names no decision about a device';
  const revocation: Revocation = { deviceId, action, at, by, reason };
  if (hash !== hashOf(revocation, previousHash)) return 'or the one before it has been changed';
  return revocation;
}

function damaged(path: string, line: number, problem: string) {
  return revocationError('damaged', `${path} is damaged: line ${line} ${problem}`, {
    hint: 'Put the copy of your backup in its place. If there is none, keep the file for examination and move it away: it is made again from what the database bars, and who was barred since a restored backup is not.',
    details: { path, line },
  });
}

function unwritable(path: string, cause: unknown) {
  const why = cause instanceof Error ? cause.message : String(cause);
  return revocationError('unwritable', `${path} can't be written: ${why}`, {
    hint: 'Nothing was changed. Check that the disk has space and that this user may write to the file.',
    details: { path },
    cause,
  });
}

/** Without the second sync a power cut may take the new file away. */
async function syncWithDirectory(path: string, file: FileHandle): Promise<void> {
  await file.sync();
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
