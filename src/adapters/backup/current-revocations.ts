import { join } from 'node:path';
import type { Revocation } from '../../actors/device/revocations.js';
import { readPrivateFile } from '../os/private-file.js';
import { parseCertificate } from '../pki/inspect-certificate.js';
import { caIdOf } from '../pki/uri-names.js';
import { parseRevocations } from '../store/revocation-file.js';
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
  readonly caId: string;
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
  const { staged, directory, caId, file } = options;
  const backup = (await readRevocations(join(staged, revocationsName))) ?? [];
  const current = await readRevocations(file ?? join(directory, revocationsName));
  if (file !== undefined && current === undefined) {
    throw backupError('no_revocations', `There is no file of revocations ${file}`, {
      hint: 'Name a copy of revocations.log, or leave --revocations out',
    });
  }
  const { isContinued, ...merged } = mergeRevocations(backup, current ?? []);
  const isOfThisDaemon = backup.length > 0 || file !== undefined || (await caIdIn(directory)) === caId;
  return { ...merged, isComplete: current !== undefined && isContinued && isOfThisDaemon };
}

async function readRevocations(path: string): Promise<readonly Revocation[] | undefined> {
  const content = await readPrivateFile(path);
  return content && parseRevocations(content, path).revocations;
}

async function caIdIn(directory: string): Promise<string | undefined> {
  const certificate = await readPrivateFile(join(directory, 'ca.crt'));
  return certificate && caIdOf(parseCertificate(certificate.toString('utf8')).publicKey);
}
