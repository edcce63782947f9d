import { createCipheriv, createDecipheriv, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../kernel/secret.js';
import {
  areParameters,
  freshParameters,
  keyOfPassphrase,
  type ScryptParameters,
} from '../secrets/passphrase-key.js';
import { backupError, damaged } from './backup-errors.js';
import { ByteReader } from './byte-reader.js';

/** How an encrypted backup begins. JSON and a newline follow, then the chunks. */
const magic = 'palyra-backup/';
const version = 1;
const chunkBytes = 64 * 1024;
const tagBytes = 16;
const longestHeader = 1024;

interface Header {
  readonly kdf: ScryptParameters;
  /** Tells a wrong passphrase from a damaged file: 16 bytes of the key's kin, base64url. */
  readonly check: string;
}

/** Whether these bytes begin an encrypted backup. */
export function beginsEncrypted(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, magic.length)).toString('latin1') === magic;
}

/**
 * Encrypts a stream under a passphrase: scrypt, then AES-256-GCM in chunks of 64 KiB after the STREAM construction (Hoang,
 * Reyhanitabar, Rogaway, Vizár 2015), as age does it. The nonce of a chunk is its number and whether it is the last one, so
 * chunks that are cut off, changed, moved or added are noticed before anything of them is used.
 *
 * @param cost of scrypt; less than the standard is for tests
 */
export async function* encrypted(
  plaintext: AsyncIterable<Uint8Array>,
  passphrase: Secret<string>,
  cost?: number,
): AsyncGenerator<Buffer> {
  const kdf = freshParameters(cost);
  const keys = keysOf(await keyOfPassphrase(passphrase, kdf), kdf);
  const header: Header = { kdf, check: keys.check.toString('base64url') };
  yield Buffer.from(`${magic}${version} ${JSON.stringify(header)}\n`);
  const reader = new ByteReader(plaintext);
  for (let number = 0, isLast = false; !isLast; number++) {
    const chunk = await reader.upTo(chunkBytes);
    isLast = await reader.atEnd();
    const cipher = createCipheriv('aes-256-gcm', keys.file, nonceOf(number, isLast));
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  }
}

/**
 * What {@link encrypted} made of it. Each piece is authenticated before it is given out; that it was the last one is known
 * at the end.
 *
 * @throws AppError `backup.passphrase_missing`, `backup.wrong_passphrase`, `backup.newer_format`, `backup.damaged`.
 */
export async function* decrypted(
  reader: ByteReader,
  passphrase: Secret<string> | undefined,
): AsyncGenerator<Buffer> {
  const header = parseHeader(await headerLine(reader));
  if (passphrase === undefined) {
    throw backupError('passphrase_missing', 'The backup is encrypted, and no passphrase was given', {
      hint: 'Name the file of its passphrase with --passphrase-file',
    });
  }
  const keys = keysOf(await keyOfPassphrase(passphrase, header.kdf), header.kdf);
  const check = Buffer.from(header.check, 'base64url');
  if (check.length !== keys.check.length || !timingSafeEqual(check, keys.check)) {
    throw backupError('wrong_passphrase', 'The passphrase does not open the backup', {
      hint: 'Give the one with which it was made. Nothing was changed',
    });
  }
  for (let number = 0, isLast = false; !isLast; number++) {
    const sealed = await reader.upTo(chunkBytes + tagBytes);
    isLast = await reader.atEnd();
    yield openChunk(keys.file, sealed, nonceOf(number, isLast));
  }
}

function openChunk(key: Uint8Array, sealed: Buffer, nonce: Buffer): Buffer {
  if (sealed.length < tagBytes) throw damaged('it ends in the middle');
  const ends = sealed.length - tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(ends));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, ends)), decipher.final()]);
  } catch {
    throw damaged('it was cut off or changed after it was made');
  }
}

/** 11 bytes of the number, 1 that says whether it is the last chunk. The key is of one archive alone. */
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** The parameters are part of the keys, so they can't be changed either. */
function keysOf(key: Buffer, kdf: ScryptParameters): { readonly file: Buffer; readonly check: Buffer } {
  const derive = (what: string, length: number): Buffer =>
    Buffer.from(
      hkdfSync('sha256', key, '', `palyra backup v${version} ${what} ${JSON.stringify(kdf)}`, length),
    );
  return { file: derive('file', 32), check: derive('check', 16) };
}

async function headerLine(reader: ByteReader): Promise<string> {
  const begin = (await reader.peek(longestHeader)).toString('latin1');
  const end = begin.indexOf('\n');
  if (end === -1) throw damaged('its header has no end');
  await reader.exactly(end + 1);
  return begin.slice(0, end);
}

function parseHeader(line: string): Header {
  const [, found = '', json = ''] = /^palyra-backup\/(\d{1,9}) (.*)$/.exec(line) ?? [];
  if (Number(found) > version) throw newerFormat(Number(found), version);
  let header: Partial<Header> | null;
  try {
    header = JSON.parse(json) as Partial<Header> | null;
  } catch {
    throw damaged('its header can not be read');
  }
  const { kdf, check } = header ?? {};
  if (Number(found) !== version || !areParameters(kdf) || typeof check !== 'string')
    throw damaged('its header can not be read');
  const { name, cost, blockSize, parallelization, salt } = kdf;
  return { kdf: { name, cost, blockSize, parallelization, salt }, check };
}

/** That a newer version of this program made it. */
export function newerFormat(found: number, known: number) {
  return backupError(
    'newer_format',
    `The backup has format ${found}; this program knows formats up to ${known}`,
    {
      hint: 'Restore it with the version of palyra that made it, or a newer one',
    },
  );
}
