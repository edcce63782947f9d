import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';

/**
 * Replaces all that is in a state directory by something new, so that whatever happens it holds the old or the new and never
 * a mix.
 *
 * Everything stays in the directory, because that may be a mount point, which can't be renamed, and because the lock on it
 * must hold all along. The new state is put together in `restore.incoming.<name>`. One rename, to `restore.ready.<name>`,
 * decides. From then on whoever takes the lock next moves the old files to `before-restore-<name>` and the new ones into
 * place, and each of these steps can be done again.
 */

const incoming = 'restore.incoming.';
const ready = 'restore.ready.';
const installing = 'restore.installing.';
const kept = 'before-restore-';

/** The lock is of the directory and not of what is in it. */
const permanent: ReadonlySet<string> = new Set(['lock', 'lock.json']);

/** What a state directory has besides its state. */
export function isBesideState(name: string): boolean {
  return permanent.has(name) || [incoming, ready, installing, kept].some((prefix) => name.startsWith(prefix));
}

/** Whether a directory holds a state, or anything else that a replacement would move away. */
export function hasState(directory: string): boolean {
  return readdirSync(directory).some((name) => !isBesideState(name));
}

/** Makes the private directory for a new state. `name` is one path segment that was not used before. */
export function stageReplacement(directory: string, name: string): string {
  const path = join(directory, incoming + name);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

/**
 * Replaces the state of the directory by what was staged under `name`. The caller holds the lock.
 *
 * @param step called before each change of the file system; tests let it throw
 * @returns where the old state is kept; undefined when there was none
 */
export function commitReplacement(
  directory: string,
  name: string,
  step = (): void => {},
): string | undefined {
  const staged = join(directory, incoming + name);
  for (const file of readdirSync(staged)) sync(join(staged, file));
  sync(staged);
  move(staged, join(directory, ready + name), step);
  sync(directory);
  return finishReplacement(directory, step);
}

/**
 * Finishes a replacement that was decided and broken off, and removes what was never decided. The caller holds the lock.
 *
 * @returns where the old state is kept; undefined when nothing was replaced, or there was none
 */
export function finishReplacement(directory: string, step = (): void => {}): string | undefined {
  for (const name of named(directory, incoming)) {
    step();
    rmSync(join(directory, incoming + name), { recursive: true });
  }
  for (const name of named(directory, ready)) moveOldAway(directory, name, step);
  let old: string | undefined;
  for (const name of named(directory, installing)) old = moveNewIn(directory, name, step);
  return old;
}

function moveOldAway(directory: string, name: string, step: () => void): void {
  const old = join(directory, kept + name);
  step();
  mkdirSync(old, { recursive: true, mode: 0o700 });
  for (const file of readdirSync(directory)) {
    if (!isBesideState(file)) move(join(directory, file), join(old, file), step);
  }
  sync(old);
  sync(directory);
  // From here on, what is in the directory is new.
  move(join(directory, ready + name), join(directory, installing + name), step);
  sync(directory);
}

function moveNewIn(directory: string, name: string, step: () => void): string | undefined {
  const source = join(directory, installing + name);
  for (const file of readdirSync(source)) move(join(source, file), join(directory, file), step);
  sync(directory);
  step();
  rmdirSync(source);
  const old = join(directory, kept + name);
  const isKept = existsSync(old) && readdirSync(old).length > 0;
  if (!isKept) rmSync(old, { recursive: true, force: true });
  sync(directory);
  return isKept ? old : undefined;
}

function named(directory: string, prefix: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}

function move(from: string, to: string, step: () => void): void {
  step();
  renameSync(from, to);
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
