import { randomBytes } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { DeviceRecord } from '../../actors/device/record.js';
import type { Revocation } from '../../actors/device/revocations.js';
import { eachStored, fromStored } from '../../actors/records.js';
import { restoreMark } from '../../actors/restored-state.js';
import type { Clock } from '../../kernel/clock.js';
import type { Secret } from '../../kernel/secret.js';
import { writePrivateFile } from '../os/private-file.js';
import { openStateDirectory, type StateDirectory } from '../os/state-directory.js';
import { commitReplacement, hasState, stageReplacement } from '../os/state-replacement.js';
import { revocationsText } from '../store/revocation-file.js';
import { openStore } from '../store/sqlite/sqlite-store.js';
import { authoritiesIn, haveKeys } from './backed-up-authorities.js';
import { backupError, damaged } from './backup-errors.js';
import { type CurrentRevocations, mergeWithCurrent, revocationsName } from './current-revocations.js';
import type { Manifest } from './manifest.js';
import { readBackup } from './read-backup.js';

/** A device that the backup trusts and that no revocation bars. Times are milliseconds since the epoch. */
export interface TrustedDevice {
  readonly id: string;
  readonly name: string;
  readonly lastSeenAt?: number;
}

export interface RestoreBackupOptions {
  readonly file: string;
  readonly passphrase?: Secret<string>;
  readonly stateDirectory: string;
  /** Replaces a state that is there; it is kept beside the new one. */
  readonly force?: boolean;
  /** A copy of `revocations.log` that is newer than the backup. Default: the one in the state directory. */
  readonly revocationsFile?: string;
  /**
   * Which devices are to be revoked.
   *
   * @param mustDecide nobody knows who was shut out since the backup was made (protocol.md 16)
   */
  revoke(devices: readonly TrustedDevice[], mustDecide: boolean): Promise<readonly string[]>;
  readonly clock: Clock;
}

export interface RestoredBackup {
  readonly manifest: Manifest;
  /** Where the state is that was there before. */
  readonly kept?: string;
  /** Where the configuration of the backup is, if it has one. It is not in force. */
  readonly configFile?: string;
  readonly revocations: {
    /** Decisions from outside of the backup. */
    readonly added: number;
    /** Whether they are all that were made since. */
    readonly complete: boolean;
  };
  /** Devices that were revoked on the operator's word. */
  readonly revoked: readonly string[];
}

const configName = 'palyra.yaml.restored';

/**
 * Replaces a daemon's state by that of a backup: all of it or nothing, also when it is broken off. The backup is checked to
 * its last byte before anything is changed, and what bars a device now goes on to bar it.
 *
 * @throws AppError `state.locked` when a daemon works in the directory, `backup.not_empty` without `force`,
 *   `revocations.damaged`, `store.newer_schema`, `store.corrupt`, what {@link readBackup} throws, and what `revoke` throws.
 */
export async function restoreBackup(options: RestoreBackupOptions): Promise<RestoredBackup> {
  const directory = await openStateDirectory(options.stateDirectory, { program: 'palyra restore' });
  try {
    if (!options.force && hasState(directory.path)) {
      throw backupError('not_empty', `${directory.path} holds a state already`, {
        hint: 'Name another directory with --state-dir, or replace this one with --force; it is kept beside the new one',
        details: { directory: directory.path },
      });
    }
    return await restoreInto(directory, options);
  } finally {
    directory.release();
  }
}

async function restoreInto(
  directory: StateDirectory,
  options: RestoreBackupOptions,
): Promise<RestoredBackup> {
  const { file, passphrase, clock } = options;
  const name = replacementName(clock.now());
  const staged = stageReplacement(directory.path, name);
  try {
    const manifest = await readBackup({ file, into: staged, ...(passphrase ? { passphrase } : {}) });
    await requireAuthorities(staged, manifest);
    const merged = await mergeWithCurrent({
      staged,
      directory: directory.path,
      authorities: manifest.authorities,
      file: options.revocationsFile,
    });
    const revoked = await settleRecords({ staged, name, manifest, merged, options });
    const hasConfig = manifest.files.some((listed) => listed.name === 'palyra.yaml');
    if (hasConfig) await rename(join(staged, 'palyra.yaml'), join(staged, configName));
    const kept = commitReplacement(directory.path, name);
    return {
      manifest,
      ...(kept === undefined ? {} : { kept }),
      ...(hasConfig ? { configFile: directory.file(configName) } : {}),
      revocations: { added: merged.added, complete: merged.isComplete },
      revoked,
    };
  } catch (thrown) {
    await rm(staged, { recursive: true, force: true });
    throw thrown;
  }
}

/** Sorts by time, and is new each time: `20260102T030405Z-1f3a9c`. */
function replacementName(now: number): string {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
  return `${time}-${randomBytes(3).toString('hex')}`;
}

async function requireAuthorities(staged: string, { authorities }: Manifest): Promise<void> {
  const certificates = await readFile(join(staged, 'ca.crt'));
  if (!isDeepStrictEqual(authoritiesIn(certificates), authorities))
    throw damaged('its CAs are not those that its manifest names');
  if (!haveKeys(certificates, await readFile(join(staged, 'ca.key'))))
    throw damaged('a CA certificate has no key');
}

interface RecordParts {
  readonly staged: string;
  readonly name: string;
  readonly manifest: Manifest;
  readonly merged: CurrentRevocations;
  readonly options: RestoreBackupOptions;
}

/** Asks about the devices, writes the revocations and marks the database. Returns the devices that are revoked by that. */
async function settleRecords({
  staged,
  name,
  manifest,
  merged,
  options,
}: RecordParts): Promise<readonly string[]> {
  const { clock, revoke } = options;
  const store = await openStore(join(staged, 'palyra.db'));
  try {
    const barred = new Map(merged.revocations.map(({ deviceId, action }) => [deviceId, action !== 'lift']));
    const devices: TrustedDevice[] = [];
    for await (const stored of eachStored(store, 'device', ['trusted'])) {
      const { id, name: deviceName, lastSeenAt } = fromStored<DeviceRecord>(stored);
      if (!barred.get(id))
        devices.push({ id, name: deviceName, ...(lastSeenAt === undefined ? {} : { lastSeenAt }) });
    }
    const revoked = await revoke(devices, !merged.isComplete && devices.length > 0);
    const now = clock.now();
    const reason = 'not confirmed when a backup was restored';
    const decided = revoked.map(
      (deviceId): Revocation => ({ deviceId, action: 'revoke', at: now, by: 'operator:local', reason }),
    );
    await writePrivateFile(
      join(staged, revocationsName),
      revocationsText([...merged.revocations, ...decided]),
    );
    await store.commit([restoreMark(name, Date.parse(manifest.createdAt), now)], 'fsync');
    return revoked;
  } finally {
    await store.close();
  }
}
