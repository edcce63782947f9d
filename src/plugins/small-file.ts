import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** A file that is no ordinary one, or too large to be read whole. */
export class UnfitFile extends Error {
  /** Its size where that is the matter, bytes. */
  readonly size: number | undefined;

  constructor(message: string, size?: number) {
    super(message);
    this.size = size;
  }
}

/**
 * Reads a file of UTF-8 text through one handle, so that what is measured is what is read. A pipe or device does not make it
 * wait: it is refused.
 *
 * @param most bytes
 * @throws UnfitFile when it is not an ordinary file or too large; TypeError when it is not UTF-8; what the system throws
 */
export async function readSmallFile(
  path: string,
  most: number,
  check?: (info: Stats) => void,
): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw new UnfitFile('is not an ordinary file');
    if (info.size > most) {
      throw new UnfitFile(`is ${info.size} bytes long; at most ${most} are read`, info.size);
    }
    check?.(info);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readAll(handle, most));
  } finally {
    await handle.close();
  }
}

/** A file may have grown since it was measured. */
async function readAll(handle: FileHandle, most: number): Promise<Uint8Array> {
  const bytes = await handle.readFile();
  if (bytes.length > most) throw new UnfitFile(`is longer than ${most} bytes`, bytes.length);
  return bytes;
}
