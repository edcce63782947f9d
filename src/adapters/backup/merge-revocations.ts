import { isBar, type Revocation } from '../../actors/device/revocations.js';

/** One file of revocations out of two. */
export interface MergedRevocations {
  /** In the order in which they were decided. */
  readonly revocations: readonly Revocation[];
  /** How many are not in the backup. */
  readonly added: number;
  /** Whether the other file certainly goes on where that of the backup ends, and so holds all that was decided since. */
  readonly isContinued: boolean;
}

/**
 * Brings the revocations of a backup together with those of the state that it replaces. Usually these only go on where the
 * backup ends. Where the two went different ways, both count, by time; and whoever one of them bars at its end is barred.
 */
export function mergeRevocations(
  backup: readonly Revocation[],
  current: readonly Revocation[],
): MergedRevocations {
  const common = commonLength(backup, current);
  const [left, right] = [backup.slice(common), current.slice(common)];
  const isContinued = left.length === 0;
  const tail = isContinued ? right : [...left, ...right].sort((one, other) => one.at - other.at);
  const revocations = [...current.slice(0, common), ...tail];
  if (!isContinued) revocations.push(...undoneBars([backup, current], revocations));
  return { revocations, added: revocations.length - backup.length, isContinued };
}

function commonLength(one: readonly Revocation[], other: readonly Revocation[]): number {
  const shorter = Math.min(one.length, other.length);
  for (let index = 0; index < shorter; index++) {
    if (!isSame(one[index], other[index])) return index;
  }
  return shorter;
}

function isSame(one: Revocation | undefined, other: Revocation | undefined): boolean {
  return (
    one?.deviceId === other?.deviceId &&
    one?.action === other?.action &&
    one?.at === other?.at &&
    one?.by === other?.by &&
    one?.reason === other?.reason
  );
}

/** The bars that stand at the end of one file and that a lift of the other came after. */
function undoneBars(
  files: readonly (readonly Revocation[])[],
  merged: readonly Revocation[],
): readonly Revocation[] {
  const last = latestOf(merged);
  const undone = new Map<string, Revocation>();
  for (const file of files) {
    for (const [deviceId, revocation] of latestOf(file)) {
      const standing = last.get(deviceId);
      if (isBar(revocation) && standing && !isBar(standing)) undone.set(deviceId, revocation);
    }
  }
  return [...undone.values()];
}

function latestOf(revocations: readonly Revocation[]): ReadonlyMap<string, Revocation> {
  return new Map(revocations.map((revocation) => [revocation.deviceId, revocation]));
}
