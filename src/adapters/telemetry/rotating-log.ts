import {
  chmodSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';

export interface LogLimits {
  /** A file that would grow past this is put aside, bytes. */
  readonly fileBytes: number;
  /** How many files there are at most, the current one included. */
  readonly files: number;
  /** A file that was begun longer ago is put aside, milliseconds. */
  readonly fileMs: number;
  /** What was put aside is deleted when nothing was written to it for so long, milliseconds. */
  readonly keptMs: number;
}

/** At most 25 MiB in all, a file for each week, and nothing older than 30 days. */
export const logLimits: LogLimits = {
  fileBytes: 5 * 1024 * 1024,
  files: 5,
  fileMs: 7 * 86_400_000,
  keptMs: 30 * 86_400_000,
};

/** The file that is written now; those before it are `node.1.log`, `node.2.log`, the oldest last. */
export const currentLog = 'node.log';

/** A line longer than this is left out, and that is said. */
const longestLine = 64 * 1024;

/** The name of the `age`-th file before the current one. */
export function logName(age: number): string {
  return age === 0 ? currentLog : `node.${age}.log`;
}

/** The names of the log's files that are there, the oldest first. */
export function logNames(folder: string): readonly string[] {
  return namesIn(folder)
    .map((name) => ({
      name,
      age: name === currentLog ? 0 : Number(/^node\.(\d{1,3})\.log$/.exec(name)?.[1]),
    }))
    .filter(({ age }) => Number.isInteger(age))
    .sort((a, b) => b.age - a.age)
    .map(({ name }) => name);
}

/**
 * A log of lines in files of mode 0600 that rotate by size and age, bounded in all.
 *
 * Written at once and in this thread, unlike what the libraries for this do: the last words of a process that ends are what one
 * looks for. A disk that takes nothing stops nobody; how many lines were lost is written once it takes them again.
 */
export class RotatingLog {
  readonly #folder: string;
  readonly #limits: LogLimits;
  readonly #clock: Clock;
  #file: number | undefined;
  #size = 0;
  #begun = 0;
  #lost = 0;

  /** @param folder is made if it is not there. */
  constructor(folder: string, clock: Clock, limits: LogLimits = logLimits) {
    this.#folder = folder;
    this.#clock = clock;
    this.#limits = limits;
    this.#guarded(() => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#open();
      this.#forgetOld();
    });
  }

  /** Writes one line; its end is added where it is missing. */
  write(text: string): void {
    const line = Buffer.from(text.endsWith('\n') ? text : `${text}\n`);
    if (line.length > longestLine) {
      this.#note(`A line of ${line.length} bytes was left out`);
      return;
    }
    if (!this.#guarded(() => this.#append(line))) this.#lost += 1;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #note(msg: string): void {
    this.write(JSON.stringify({ level: 'warn', time: new Date(this.#clock.now()).toISOString(), msg }));
  }

  #append(line: Buffer): void {
    if (this.#file === undefined) this.#open();
    const { fileBytes, fileMs } = this.#limits;
    const isFull = this.#size > 0 && this.#size + line.length > fileBytes;
    const isOld = this.#size > 0 && this.#clock.now() - this.#begun > fileMs;
    if (isFull || isOld) this.#rotate();
    const lost = this.#lost;
    this.#put(line);
    if (lost === 0) return;
    this.#lost = 0;
    this.#note(`${lost} lines could not be written before this one`);
  }

  #put(line: Buffer): void {
    if (this.#file === undefined) throw new Error('The log is not open');
    const written = writeSync(this.#file, line);
    this.#size += written;
    if (written < line.length) throw new Error('The disk took only a part of a line');
  }

  #open(): void {
    const path = join(this.#folder, currentLog);
    const file = openSync(path, 'a', 0o600);
    chmodSync(path, 0o600);
    const { size, birthtimeMs, ctimeMs } = fstatSync(file);
    this.#file = file;
    this.#size = size;
    this.#begun = size === 0 ? this.#clock.now() : birthtimeMs || ctimeMs;
  }

  #rotate(): void {
    this.close();
    for (let age = this.#limits.files - 1; age >= 1; age -= 1) {
      const [from, to] = [join(this.#folder, logName(age - 1)), join(this.#folder, logName(age))];
      try {
        renameSync(from, to);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    this.#open();
    this.#forgetOld();
  }

  /** Deletes what is too old, and what is more than may be: a smaller limit than before counts at once. */
  #forgetOld(): void {
    const names = logNames(this.#folder).filter((name) => name !== currentLog);
    const most = new Set(Array.from({ length: this.#limits.files - 1 }, (_, at) => logName(at + 1)));
    for (const name of names) {
      const path = join(this.#folder, name);
      const isOld = this.#clock.now() - statSync(path).mtimeMs > this.#limits.keptMs;
      if (isOld || !most.has(name)) rmSync(path, { force: true });
    }
  }

  /** Whether it went well. */
  #guarded(work: () => void): boolean {
    try {
      work();
      return true;
    } catch {
      return false;
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
