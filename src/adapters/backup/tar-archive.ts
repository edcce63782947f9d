import { Header } from 'tar';
import { damaged } from './backup-errors.js';
import type { ByteReader } from './byte-reader.js';

const blockBytes = 512;
/** Two blocks of zeros end an archive (POSIX.1-2017, pax, ustar interchange format). */
const endBytes = 2 * blockBytes;
const pieceBytes = 64 * 1024;

/** One file of an archive. `size` is what `content` gives, in bytes. */
export interface TarFile {
  readonly name: string;
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** A file's header as it was read. `size` is bytes. */
export interface TarEntry {
  readonly name: string;
  readonly size: number;
}

/** The bytes of a tar archive (ustar) of those files, which any tar can list and extract. Milliseconds since the epoch. */
export async function* tarOf(files: Iterable<TarFile>, modifiedAt: number): AsyncGenerator<Buffer> {
  for (const { name, size, content } of files) {
    yield headerOf(name, size, modifiedAt);
    let written = 0;
    for await (const piece of content) {
      written += piece.length;
      yield Buffer.from(piece);
    }
    if (written !== size) throw new RangeError(`${name} has ${written} bytes, not ${size}`);
    yield Buffer.alloc(paddingOf(size));
  }
  yield Buffer.alloc(endBytes);
}

/**
 * The next file's header; undefined at the end of the archive, behind which there is nothing.
 *
 * A header must be, byte for byte, what {@link tarOf} writes: a regular file with a short plain name. So there are no links,
 * no directories, no extensions and no two ways to read it.
 *
 * @throws AppError `backup.damaged`.
 */
export async function nextEntry(reader: ByteReader): Promise<TarEntry | undefined> {
  const block = await reader.exactly(blockBytes);
  if (block.every((byte) => byte === 0)) {
    const rest = await reader.exactly(endBytes - blockBytes);
    if (!rest.every((byte) => byte === 0) || !(await reader.atEnd()))
      throw damaged('it goes on behind its end');
    return undefined;
  }
  const { path: name = '', size = -1, mtime } = new Header(block);
  const isOurs =
    Number.isSafeInteger(size) &&
    size >= 0 &&
    mtime !== undefined &&
    block.equals(headerOf(name, size, mtime.getTime()));
  if (!isOurs) throw damaged('there is no header of a file where one should be');
  return { name, size };
}

/** The content behind a header. Read it to its end before the next one. @throws AppError `backup.damaged`. */
export async function* contentOf({ size }: TarEntry, reader: ByteReader): AsyncGenerator<Buffer> {
  for (let left = size; left > 0; ) {
    const piece = await reader.exactly(Math.min(left, pieceBytes));
    left -= piece.length;
    yield piece;
  }
  const padding = await reader.exactly(paddingOf(size));
  if (padding.some((byte) => byte !== 0)) throw damaged('there is something between two files');
}

function headerOf(name: string, size: number, modifiedAt: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  const mtime = new Date(Math.floor(modifiedAt / 1000) * 1000);
  new Header({ path: name, mode: 0o600, uid: 0, gid: 0, size, mtime, type: 'File' }).encode(block, 0);
  return block;
}

function paddingOf(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}
