import { chmodSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { KernelLog } from '../../kernel/log.js';
import { DirectoryLock } from './directory-lock.js';
import { mendModes } from './mend-modes.js';
import { stateError } from './state-errors.js';
import { finishReplacement } from './state-replacement.js';

export interface StateDirectoryOptions {
  /** The name of the program that will hold the directory, for the message that a second one gets: `palyrad`. */
  readonly program: string;
  /** Refuses a directory that is not there instead of making it. */
  readonly mustExist?: boolean;
  /** Told of each file whose mode had to be mended. */
  readonly log?: Pick<KernelLog, 'warn'>;
}

/** A directory that this process alone works in, until `release` or its death. */
export interface StateDirectory {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** The path of a file in it. `name` is one of the program's own names, never a peer's text. */
  file(name: string): string;
  /** Lets another process take the directory. Idempotent. */
  release(): void;
}

/**
 * Makes the directory (mode 0700) if it is absent, checks that it belongs to this user and to nobody else, takes its lock,
 * finishes a restore that was broken off in it, and gives every file in it the mode 0600.
 *
 * A directory that others may enter is refused, because nobody knows what they have read or changed. A wrong mode inside a
 * private directory has let nobody in, so it is mended and logged.
 *
 * @throws AppError `state.locked` naming the pid that holds it, `state.foreign_owner`, `state.exposed` (group or others
 *   have access), `state.not_a_directory`, `state.unusable`, `state.absent` with `mustExist`.
 * @example
 * const state = await openStateDirectory('/var/lib/palyra', { program: 'palyrad' });
 * const store = await openStore(state.file('state.db'));
 */
export async function openStateDirectory(
  path: string,
  options: StateDirectoryOptions,
): Promise<StateDirectory> {
  const real = options.mustExist ? findDirectory(path) : makeDirectory(path);
  assertPrivate(real);
  const lock = await DirectoryLock.acquire(real, options.program);
  try {
    const kept = finishReplacement(real);
    if (kept !== undefined) options.log?.warn({ kept }, 'Finished a restore that was broken off');
    mendModes(real, options.log);
  } catch (cause) {
    lock.release();
    throw stateError('unusable', `State directory ${real} can't be put in order: ${messageOf(cause)}`, {
      hint: `Look with \`ls -lR ${real}\` for what does not belong to this user`,
      details: { path: real },
      cause,
    });
  }
  return { path: real, file: (name) => join(real, name), release: () => lock.release() };
}

const variables = { daemon: 'PALYRA_STATE_DIR', node: 'PALYRA_NODE_STATE_DIR' } as const;

/**
 * Where a program keeps its state unless told otherwise: its variable, else `$XDG_STATE_HOME/palyra/<role>`, else
 * `~/.local/state/palyra/<role>`. A relative XDG_STATE_HOME is ignored (XDG Base Directory Specification).
 */
export function defaultStateDirectory(role: 'daemon' | 'node', env: NodeJS.ProcessEnv): string {
  const named = env[variables[role]];
  if (named !== undefined && named !== '') return named;
  const xdg = env.XDG_STATE_HOME;
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), '.local', 'state');
  return join(base, 'palyra', role);
}

function findDirectory(path: string): string {
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw notUsable(path, cause);
    throw stateError('absent', `There is no state directory ${path}`, {
      hint: 'Name the directory with --state-dir',
      details: { path },
      cause,
    });
  }
  throw notUsable(path, Object.assign(new Error('it is not a directory'), { code: 'ENOTDIR' }));
}

function makeDirectory(path: string): string {
  try {
    // The umask can take bits away from the mode that mkdir is given.
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(path, 0o700);
    return realpathSync(path);
  } catch (cause) {
    throw notUsable(path, cause);
  }
}

function notUsable(path: string, cause: unknown) {
  const notDirectory = ['EEXIST', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '');
  return stateError(
    notDirectory ? 'not_a_directory' : 'unusable',
    `State directory ${path} can't be used: ${messageOf(cause)}`,
    { hint: 'Name another directory with --state-dir, or make this one', details: { path }, cause },
  );
}

function assertPrivate(path: string): void {
  const stats = statSync(path);
  const user = process.getuid?.();
  if (user !== undefined && stats.uid !== user) {
    throw stateError(
      'foreign_owner',
      `State directory ${path} belongs to user ${stats.uid}, not to user ${user}`,
      {
        hint: 'Run as its owner, or name another directory with --state-dir',
        details: { path },
      },
    );
  }
  if ((stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw stateError(
      'exposed',
      `State directory ${path} has mode ${mode}: others than its owner have access`,
      {
        hint: `Run \`chmod 700 ${path}\` after checking that nobody has changed what is in it`,
        details: { path },
      },
    );
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
