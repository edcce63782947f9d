import type { Stats } from 'node:fs';
import { manifestError } from './plugin-errors.js';

/** As whom this process runs. Left out where the platform has no owners in that sense (Windows). */
export interface RunsAs {
  readonly uid: number;
  readonly gid: number;
}

/** Who this process is; undefined on Windows. */
export function runsAs(): RunsAs | undefined {
  const { getuid, getgid } = process;
  return getuid === undefined || getgid === undefined ? undefined : { uid: getuid(), gid: getgid() };
}

type Facts = Pick<Stats, 'uid' | 'gid' | 'mode'>;

/**
 * Why somebody else could change a file or folder: another account owns it (root may), or its mode lets others write. The
 * group may write where it is the user's own private group, which by convention has the id of the user: there is nobody
 * else in it. Undefined when nobody can.
 *
 * @example whoElseWrites({ uid: 1000, gid: 1000, mode: 0o40777 }, { uid: 1000, gid: 1000 }) // 'may be written by everybody'
 */
export function whoElseWrites({ uid, gid, mode }: Facts, self: RunsAs): string | undefined {
  if (uid !== self.uid && uid !== 0) return `belongs to another account (uid ${uid})`;
  if ((mode & 0o002) !== 0) return 'may be written by everybody';
  const isPrivateGroup = gid === self.gid && gid === self.uid && self.uid !== 0;
  if ((mode & 0o020) !== 0 && !isPrivateGroup) return `may be written by its group (gid ${gid})`;
  return undefined;
}

/**
 * Refuses what somebody else could change between its check and its use.
 *
 * @param path the real path of it
 * @throws AppError `plugin.unsafe_permissions`
 */
export function refuseUnsafe(
  facts: Facts,
  self: RunsAs | undefined,
  { path, file, pointer }: { readonly path: string; readonly file: string; readonly pointer: string },
): void {
  const found = self && whoElseWrites(facts, self);
  if (found === undefined) return;
  const hint = found.startsWith('belongs')
    ? `Install it as the account that runs this program: chown -R ${self?.uid} '${path}'`
    : `Take that right away: chmod -R go-w '${path}'`;
  throw manifestError('unsafe_permissions', file, { pointer, problem: `${path} ${found}`, hint });
}
