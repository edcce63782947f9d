import { chmodSync, closeSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { storeError } from '../store-errors.js';

/**
 * Writes the database at `path` as it is at one moment to the new file `target` (mode 0600), while another process may go
 * on writing to it.
 *
 * Why `VACUUM INTO` and not SQLite's backup API: it reads within one transaction, so that a daemon which writes all the time
 * can't make it start over; it does not hold the daemon up; and what was deleted does not come along in free pages.
 *
 * @throws AppError `store.unreadable` when it can't be read or written, or is damaged.
 */
export function snapshotDatabase(path: string, target: string): void {
  let database: Database.Database | undefined;
  try {
    // SQLite would make it with the mode that the umask leaves; an empty file it takes as it is.
    closeSync(openSync(target, 'wx', 0o600));
    chmodSync(target, 0o600);
    database = new Database(path, { readonly: true, fileMustExist: true, timeout: 10_000 });
    database.prepare('VACUUM INTO ?').run(target);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw storeError('unreadable', `${path} can't be copied to ${target}: ${message}`, {
      hint: 'Check that the disk has space; `palyrad` says at its start whether the database is damaged',
      details: { path },
      cause,
    });
  } finally {
    database?.close();
  }
}
