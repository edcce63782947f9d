import { join } from 'node:path';
import type { Revocation } from '../../actors/device/revocations.js';
import { readPrivateFile } from '../os/private-file.js';
import { parseRevocations } from '../store/revocation-file.js';
import { type AuthorityName, authoritiesIn } from './backed-up-authorities.js';
import { backupError } from './backup-errors.js';
import { mergeRevocations } from './merge-revocations.js';

/** The file of revocations in a state directory. */
export const revocationsName = 'revocations.log';

/** The revocations that hold after a restore. */
export interface CurrentRevocations {
  readonly revocations: readonly Revocation[];
  /** How many are not in the backup. */
  readonly added: number;
  /** Whether they are certainly all that were decided since the backup. */
  readonly isComplete: boolean;
}

export interface CurrentRevocationsOptions {
  /** Where the files of the backup are. */
  readonly staged: string;
  /** The state directory that is replaced. */
  readonly directory: string;
  /** Of the backup. */
  readonly authorities: readonly AuthorityName[];
  /** A copy of the file from elsewhere, in place of that in the directory. */
  readonly file: string | undefined;
}

/**
 * The revocations of a backup with the current ones. These are complete only if they go on where the backup ends, in a file
 * of the same daemon: the empty file of a fresh directory says nothing.
 *
 * @throws AppError `revocations.damaged`, `backup.no_revocations`.
 */
export async function mergeWithCurrent(options: CurrentRevocationsOptions): Promise<CurrentRevocations> {
  const { staged, directory, authorities, file } = options;
  const backup = (await readRevocations(join(staged, revocationsName))) ?? [];
  const current = await readRevocations(file ?? join(directory, revocationsName));
  if (file !== undefined && current === undefined) {
    throw backupError('no_revocations', `There is no file of revocations ${file}`, {
      hint: 'Name a copy of revocations.log, or leave --revocations out',
    });
  }
  const { isContinued, ...merged } = mergeRevocations(backup, current ?? []);
  const isOfThisDaemon =
    backup.length > 0 || file !== undefined || (await sharesAuthority(directory, authorities));
  return { ...merged, isComplete: current !== undefined && isContinued && isOfThisDaemon };
}

async function readRevocations(path: string): Promise<readonly Revocation[] | undefined> {
  const content = await readPrivateFile(path);
  return content && parseRevocations(content, path).revocations;
}

/** The daemon may have moved to another CA since, but not away from all that it had. */
async function sharesAuthority(directory: string, authorities: readonly AuthorityName[]): Promise<boolean> {
  const certificates = await readPrivateFile(join(directory, 'ca.crt'));
  const current = authoritiesIn(certificates ?? new Uint8Array(0));
  return current.some(({ id }) => authorities.some((backedUp) => backedUp.id === id));
}
