import { chmodSync, closeSync, fchmodSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../../kernel/errors.js';
import type { KernelLog } from '../../../kernel/log.js';
import { storeError } from '../store-errors.js';
import { migrate } from './migrations.js';

/** Where the store reports what happens to its file. */
export type StoreLog = Pick<KernelLog, 'info' | 'error'>;

/**
 * Opens the file (mode 0600, made if absent, in a directory of mode 0700 if that is absent too), checks its integrity and
 * brings its schema up to date. The check reads the whole file: 0.4 s for a million records (410 MB) in cache.
 *
 * @throws AppError `store.unreadable`, `store.wrong_file`, `store.corrupt` or `store.newer_schema`. Nothing is ever reset.
 */
export function openDatabase(path: string, log?: StoreLog): Database.Database {
  let database: Database.Database | undefined;
  try {
    makePrivate(path);
    database = new Database(path);
    // In this order, so that a file which is refused is not written to.
    check(database, path);
    migrate(database, path);
    configure(database);
    return database;
  } catch (thrown) {
    database?.close();
    const error = thrown instanceof AppError ? thrown : explain(thrown, path);
    log?.error({ path, code: error.code }, error.message);
    throw error;
  }
}

/**
 * SQLite gives its side files the mode of the main file. An existing file is not opened here: closing any descriptor of a
 * file drops all POSIX locks that this process holds on it.
 */
function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const made = openSync(path, 'ax', 0o600);
    fchmodSync(made, 0o600);
    closeSync(made);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  }
}

function check(database: Database.Database, path: string): void {
  const problem = String(database.pragma('quick_check(1)', { simple: true }));
  if (problem !== 'ok') throw corrupt(path, problem);
}

function configure(database: Database.Database): void {
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  // Plain fsync doesn't reach the platter on macOS; elsewhere these change nothing.
  database.pragma('fullfsync = ON');
  database.pragma('checkpoint_fullfsync = ON');
  // After a burst the write-ahead log shrinks back to this many bytes.
  database.pragma('journal_size_limit = 16777216');
}

function explain(thrown: unknown, path: string): AppError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = (thrown as { code?: unknown }).code;
  if (code === 'SQLITE_NOTADB') {
    return storeError('wrong_file', `${path} is not a SQLite database`, {
      hint: 'If it held the state, keep it and restore a backup (palyra restore FILE --force); otherwise move it away',
      details: { path },
      cause: thrown,
    });
  }
  if (typeof code === 'string' && code.startsWith('SQLITE_CORRUPT')) return corrupt(path, message, thrown);
  return storeError('unreadable', `${path} can't be opened: ${message}`, {
    hint: 'Check that the path is a file which this user may read and write, and that the disk is mounted',
    details: { path },
    cause: thrown,
  });
}

function corrupt(path: string, problem: string, cause?: unknown): AppError {
  return storeError('corrupt', `${path} is damaged: ${problem.replaceAll('\n', ' ')}`, {
    hint: `Keep the file for examination (with ${path}-wal, if there is one) and restore a backup: palyra restore FILE --force`,
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
