import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.js';
import { readPrivateFile } from '../os/private-file.js';
import { snapshotDatabase } from '../store/sqlite/snapshot.js';
import { backupError } from './backup-errors.js';

/** The small files of a state directory, by name. */
export type StateContents = ReadonlyMap<SmallFile, Buffer>;

const settledFiles = ['ca.crt', 'ca.key', 'keyring.json'] as const;
type SmallFile = (typeof settledFiles)[number] | 'revocations.log';

/** The state of a daemon at one moment. `database` is a file of its own; `remove` deletes it. */
export interface StateSnapshot {
  readonly contents: StateContents;
  readonly database: string;
  remove(): Promise<void>;
}

const attempts = 5;
const prefix = '.snapshot.';
/** What an interrupted backup has left is removed after this time, milliseconds. */
const abandonedMs = 24 * 3_600_000;

/**
 * Takes the files of a state directory as they are at one moment, while a daemon may be working in it. The keys are read
 * before and after the database and must not have changed in between; the file of revocations comes last, so that it holds
 * whatever the database knows of.
 *
 * @throws AppError `backup.no_state`, `backup.changing`, `store.unreadable`, and those of private files.
 */
export async function snapshotState(directory: string, clock: Clock): Promise<StateSnapshot> {
  await removeAbandoned(directory, clock.now());
  const database = join(directory, `${prefix}${randomBytes(8).toString('hex')}.db`);
  const remove = (): Promise<void> => rm(database, { force: true });
  try {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const before = await readSettled(directory);
      requireState(directory, before);
      snapshotDatabase(join(directory, 'palyra.db'), database);
      const contents = new Map<SmallFile, Buffer>(await readSettled(directory));
      const revocations = await readPrivateFile(join(directory, 'revocations.log'));
      if (isSame(before, contents)) {
        if (revocations) contents.set('revocations.log', wholeLines(revocations));
        return { contents, database, remove };
      }
      await remove();
    }
  } catch (thrown) {
    await remove();
    throw thrown;
  }
  throw backupError(
    'changing',
    `The keys in ${directory} changed while they were copied, ${attempts} times`,
    {
      hint: 'Try again',
    },
  );
}

async function readSettled(directory: string): Promise<StateContents> {
  const contents = new Map<SmallFile, Buffer>();
  for (const name of settledFiles) {
    const content = await readPrivateFile(join(directory, name));
    if (content) contents.set(name, content);
  }
  return contents;
}

function requireState(directory: string, contents: StateContents): void {
  if (contents.has('ca.key') && contents.has('ca.crt')) return;
  throw backupError('no_state', `${directory} is not the state directory of a daemon: it holds no CA`, {
    hint: 'Name the directory with --state-dir',
    details: { directory },
  });
}

function isSame(before: StateContents, after: StateContents): boolean {
  return (
    before.size === after.size && [...before].every(([name, content]) => after.get(name)?.equals(content))
  );
}

/** The daemon may be in the middle of a line. */
function wholeLines(content: Buffer): Buffer {
  return content.subarray(0, content.lastIndexOf(0x0a) + 1);
}

async function removeAbandoned(directory: string, now: number): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(directory, name);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > abandonedMs) await rm(path, { force: true });
  }
}
