import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

/** What of a path fits into an address of the system: `sun_path` less its end. */
const longestPath = process.platform === 'linux' ? 107 : 103;
const name = 'control.sock';

/** The socket of a state directory, under a path that the system takes. */
export interface SocketPath {
  /** Undefined where no path is short enough. */
  readonly path: string | undefined;
  /** The socket as it stands in the directory. */
  readonly file: string;
  /** Call when the socket is not needed any more. */
  release(): void;
}

/**
 * Names the socket of a directory. One whose path is too long for an address is reached through a descriptor of the directory,
 * which Linux has in `/proc`.
 */
export function socketPath(directory: string): SocketPath {
  const file = join(directory, name);
  if (Buffer.byteLength(file) <= longestPath) return { path: file, file, release: () => undefined };
  if (process.platform !== 'linux') return { path: undefined, file, release: () => undefined };
  const opened = openSync(directory, 'r');
  return { path: `/proc/self/fd/${opened}/${name}`, file, release: () => closeSync(opened) };
}
