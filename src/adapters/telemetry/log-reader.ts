import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';
import { currentLog, logNames } from './rotating-log.js';

export interface LogSelection {
  /** At most so many lines, the latest. */
  readonly last: number;
  /** None from before, milliseconds since the epoch. */
  readonly since?: number;
}

/** Where reading a log has come to. */
export interface LogPlace {
  /** The file, by its number in the file system: a name is another file after a rotation. */
  readonly inode: number;
  readonly offset: number;
}

const pollMs = 200;
const chunkBytes = 64 * 1024;

/** The latest lines of a log that rotates, the oldest first, and the place after them. */
export function readLog(
  folder: string,
  { last, since }: LogSelection,
): { readonly lines: readonly string[]; readonly place: LogPlace | undefined } {
  let lines: string[] = [];
  let place: LogPlace | undefined;
  for (const name of logNames(folder).toReversed()) {
    const read = readWhole(join(folder, name));
    if (read === undefined) continue;
    place ??= read.place;
    lines = [...read.lines.filter((line) => since === undefined || timeOf(line) >= since), ...lines];
    if (lines.length >= last) break;
  }
  return { lines: last === 0 ? [] : lines.slice(-last), place };
}

/**
 * The lines that are written to a log from a place on, until the signal. Follows it through rotations.
 *
 * @param place where to begin; undefined for what is written to a log that has no file yet
 */
export async function* followLog(
  folder: string,
  place: LogPlace | undefined,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<string> {
  let tail = place === undefined ? undefined : Tail.at(folder, place);
  try {
    while (!signal.aborted) {
      tail ??= Tail.open(join(folder, currentLog), 0);
      if (tail) {
        yield* tail.lines();
        const next = nextFile(folder, tail.inode);
        if (next !== undefined) {
          // What was written between the last look and the rotation.
          yield* tail.lines();
          tail.close();
          tail = Tail.open(next, 0);
          continue;
        }
      }
      await pause(clock, signal);
    }
  } finally {
    tail?.close();
  }
}

/** One file that is read as it grows. */
class Tail {
  readonly inode: number;
  readonly #file: number;
  #offset: number;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(file: number, offset: number) {
    this.#file = file;
    this.#offset = offset;
    this.inode = fstatSync(file).ino;
  }

  static open(path: string, offset: number): Tail | undefined {
    try {
      return new Tail(openSync(path, 'r'), offset);
    } catch {
      return undefined;
    }
  }

  /** The file of a place, whatever it is called by now. */
  static at(folder: string, { inode, offset }: LogPlace): Tail | undefined {
    const name = logNames(folder).find((one) => inodeOf(join(folder, one)) === inode);
    return name === undefined ? undefined : Tail.open(join(folder, name), offset);
  }

  /** The whole lines that are there and were not read yet. */
  *lines(): Generator<string> {
    const chunk = Buffer.alloc(chunkBytes);
    for (;;) {
      const count = readSync(this.#file, chunk, 0, chunk.length, this.#offset);
      if (count === 0) return;
      this.#offset += count;
      const text = Buffer.concat([this.#rest, chunk.subarray(0, count)]);
      const end = text.lastIndexOf(0x0a) + 1;
      this.#rest = Buffer.from(text.subarray(end));
      yield* linesOf(text.subarray(0, end));
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The file that was begun after the one with that inode, if there is one. */
function nextFile(folder: string, inode: number): string | undefined {
  const paths = logNames(folder).map((name) => join(folder, name));
  const at = paths.findIndex((path) => inodeOf(path) === inode);
  // It is deleted by now: the oldest that is left comes next.
  return at < 0 ? paths[0] : paths[at + 1];
}

function readWhole(path: string): { readonly lines: string[]; readonly place: LogPlace } | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const bytes = readFileSync(file);
    const end = bytes.lastIndexOf(0x0a) + 1;
    const place = { inode: fstatSync(file).ino, offset: end };
    return { lines: linesOf(bytes.subarray(0, end)), place };
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function linesOf(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

/** When a line was written, milliseconds since the epoch; NaN for one that does not say. */
function timeOf(line: string): number {
  try {
    const { time } = JSON.parse(line) as { readonly time?: unknown };
    return typeof time === 'string' ? Date.parse(time) : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = clock.setTimeout(over, pollMs);
    signal.addEventListener('abort', over, { once: true });
  });
}
