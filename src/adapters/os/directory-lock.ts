import { chmodSync, closeSync, fchmodSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { isRunning, type ProcessIdentity, processIdentity } from './process-identity.js';
import { stateError } from './state-errors.js';

/** What the holder writes beside the lock, so that a refused process can say who has it. */
export interface Holder extends ProcessIdentity {
  readonly program: string;
}

const nameWait = { tries: 25, ms: 20 };

/** Keeps the connections from the garbage collector, which would close them and with that let go of the locks. */
const held = new Set<DirectoryLock>();

/**
 * The lock of a directory: an exclusive lock of SQLite on an empty file of its own (`lock`).
 *
 * Why so: Node has no `flock`. A file that holds a pid goes stale after `kill -9`, and taking over a stale one is a race
 * that two processes can both win. An advisory lock belongs to the kernel: it goes with the process, however that ends,
 * and it holds across pid namespaces (two containers on one volume), where a pid means nothing. SQLite is the one
 * dependency here that can take such a lock, and it also refuses a second one in the same process. The pid lies in a file
 * beside it (`lock.json`) that serves the message alone and is believed only if its process still runs.
 */
export class DirectoryLock {
  readonly #database: Database.Database;
  readonly #namePath: string;

  private constructor(database: Database.Database, namePath: string) {
    this.#database = database;
    this.#namePath = namePath;
  }

  /**
   * Takes the lock or fails at once (after half a second at most, if the holder hasn't said yet who it is).
   *
   * @throws AppError `state.locked`, or `state.unusable` when the file system can't lock.
   */
  static async acquire(directory: string, program: string): Promise<DirectoryLock> {
    const namePath = join(directory, 'lock.json');
    const database = tryLock(directory);
    if (database === undefined) throw locked(directory, await readHolder(directory));
    const lock = new DirectoryLock(database, namePath);
    held.add(lock);
    try {
      const holder = { ...ownIdentity(), program } satisfies Holder;
      writeFileSync(namePath, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
      chmodSync(namePath, 0o600);
    } catch (cause) {
      lock.release();
      throw unusable(directory, cause);
    }
    return lock;
  }

  /** Idempotent. */
  release(): void {
    if (!held.delete(this)) return;
    // While it is still held: the name is this process's own. A process that lives on holds the directory no more.
    rmSync(this.#namePath, { force: true });
    this.#database.close();
  }
}

/**
 * The process that holds a directory, by what it wrote there; undefined when that process does not run any more: a pid that another
 * process has by now is not believed. One that is just about to take it is not seen yet.
 */
export function directoryHolder(directory: string): Holder | undefined {
  const holder = parseHolder(join(directory, 'lock.json'));
  return holder !== undefined && isRunning(holder) ? holder : undefined;
}

/** Undefined when another holds it. */
function tryLock(directory: string): Database.Database | undefined {
  const path = join(directory, 'lock');
  let database: Database.Database | undefined;
  try {
    makeLockFile(path);
    database = new Database(path, { timeout: 0 });
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if ((error as { code?: unknown }).code === 'SQLITE_BUSY') return undefined;
    throw unusable(directory, error);
  }
}

/** An existing lock file is never opened here: closing any descriptor of it would drop the lock that this process may hold. */
function makeLockFile(path: string): void {
  try {
    const made = openSync(path, 'ax', 0o600);
    fchmodSync(made, 0o600);
    closeSync(made);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function ownIdentity(): ProcessIdentity {
  return processIdentity(process.pid) ?? { pid: process.pid, startedAt: '' };
}

/** Waits a little for a name that fits a running process: the holder writes it just after it has the lock. */
async function readHolder(directory: string): Promise<Holder | undefined> {
  for (let tries = 0; tries < nameWait.tries; tries += 1) {
    const holder = directoryHolder(directory);
    if (holder !== undefined) return holder;
    await delay(nameWait.ms);
  }
  return undefined;
}

function parseHolder(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const { pid, startedAt, program } = value as Partial<Record<keyof Holder, unknown>>;
    if (typeof pid !== 'number' || typeof startedAt !== 'string' || typeof program !== 'string')
      return undefined;
    return { pid, startedAt, program };
  } catch {
    return undefined;
  }
}

function locked(directory: string, holder: Holder | undefined) {
  const who =
    holder === undefined ? 'another process whose pid is not known' : `${holder.program} (pid ${holder.pid})`;
  return stateError('locked', `State directory ${directory} is in use by ${who}`, {
    hint: 'Stop that process, or name another directory with --state-dir',
    details: { directory, ...(holder === undefined ? {} : { pid: holder.pid, program: holder.program }) },
  });
}

function unusable(directory: string, cause: unknown) {
  const message = cause instanceof Error ? cause.message : String(cause);
  return stateError('unusable', `State directory ${directory} can't be locked: ${message}`, {
    hint: 'Use a directory on a local disk that this user may write to; if its `lock` file is damaged, stop all programs and delete it',
    details: { directory },
    cause,
  });
}
