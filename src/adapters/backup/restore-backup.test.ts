import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { start } from '../../../test/model/samples.js';
import { preparedKeys } from '../../../test/support/prepared-keys.js';
import {
  decideOutside,
  makeSampleState,
  type SampleAuthority,
  sampleAuthority,
  sampleDevices,
} from '../../../test/support/sample-state.js';
import { Secret } from '../../kernel/secret.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { sampleDeviceId } from '../http/testing/samples.js';
import { openStateDirectory } from '../os/state-directory.js';
import { isBesideState } from '../os/state-replacement.js';
import { createCa } from '../pki/certificate-authority.js';
import { privateKeyToPem } from '../pki/keys.js';
import { SecretFiles } from '../secrets/secret-files.js';
import { RevocationFile } from '../store/revocation-file.js';
import { createBackup } from './create-backup.js';
import { type RestoreBackupOptions, restoreBackup } from './restore-backup.js';

const clock = new SimulatedClock(start);
const passphrase = new Secret('correct horse battery');
const [trusted, other, revokedBefore] = sampleDevices;
const log = { info: () => {} };

let base: string;
let authority: SampleAuthority;
beforeAll(async () => {
  authority = await sampleAuthority(clock);
});

let directory: string;
let file: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'palyra-restore-'));
  directory = join(base, 'state');
  file = join(base, 'backup');
  await makeState(directory);
});
afterEach(() => rm(base, { recursive: true, force: true }));

const makeState = (path: string, sealedWith?: Secret<string>): Promise<void> =>
  makeSampleState(path, authority, clock, sealedWith);
const decide = (path: string, decision: Parameters<typeof decideOutside>[2]): Promise<void> =>
  decideOutside(path, clock, decision);

async function back(): Promise<void> {
  await createBackup({ stateDirectory: directory, file, version: '0.1.0', clock });
}

/** What the operator was asked: the names of the devices, and whether each had to be decided. */
let asked: { readonly names: readonly string[]; readonly mustDecide: boolean }[];
function restore(changes: Partial<RestoreBackupOptions> = {}, revoke: readonly string[] = []) {
  asked = [];
  return restoreBackup({
    file,
    stateDirectory: directory,
    force: true,
    clock,
    revoke: async (devices, mustDecide) => {
      asked.push({ names: devices.map(({ name }) => name).sort(), mustDecide });
      return revoke;
    },
    ...changes,
  });
}

async function latest(path = directory): Promise<Readonly<Record<string, string>>> {
  const revocations = await RevocationFile.open(join(path, 'revocations.log'));
  const found = [...revocations.latest()].map(({ deviceId, action }) => [deviceId, action]);
  await revocations.close();
  return Object.fromEntries(found);
}

/** Every file of the state with its content. */
function contents(path = directory): Readonly<Record<string, string>> {
  const names = readdirSync(path).filter((name) => !isBesideState(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(path, name), 'base64')]));
}

describe('a restored state', () => {
  test('is that of the backup, private, marked, and the one before is kept', async () => {
    await back();
    writeFileSync(join(directory, 'ca.key'), 'lost', { mode: 0o600 });
    const before = contents();
    const umask = process.umask(0);
    const { kept, manifest } = await restore().finally(() => process.umask(umask));
    expect(contents(kept)).toEqual(before);
    expect(
      readdirSync(directory)
        .filter((name) => !isBesideState(name))
        .sort(),
    ).toEqual(['ca.crt', 'ca.key', 'palyra.db', 'revocations.log']);
    expect(readFileSync(join(directory, 'ca.key'), 'utf8')).toBe(authority.key.reveal());
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      const { mode } = statSync(join(directory, name));
      expect((mode & 0o077).toString(8), name).toBe('0');
    }
    const database = new Database(join(directory, 'palyra.db'), { readonly: true });
    expect(database.prepare("SELECT state FROM records WHERE kind = 'restore'").all()).toEqual([
      { state: 'pending' },
    ]);
    database.close();
    expect(manifest.createdAt).toBe(new Date(start).toISOString());
  });

  test('of sealed keys is sealed, and takes the same passphrase', async () => {
    await rm(directory, { recursive: true });
    await makeState(directory, passphrase);
    await back();
    expect(readFileSync(file).includes('PRIVATE KEY')).toBe(false);
    await rm(directory, { recursive: true });
    await restore({ force: false });
    const files = await SecretFiles.open(directory, passphrase, log);
    expect((await files.read('ca.key'))?.reveal().toString()).toBe(authority.key.reveal());
  });

  test('has the configuration beside it, not in force', async () => {
    const configFile = join(base, 'palyra.yaml');
    writeFileSync(configFile, 'log: { level: warn }\n');
    await createBackup({ stateDirectory: directory, file, version: '0.1.0', clock, configFile });
    const restored = await restore();
    expect(restored.configFile).toBe(join(directory, 'palyra.yaml.restored'));
    expect(readFileSync(restored.configFile ?? '', 'utf8')).toBe('log: { level: warn }\n');
  });
});

describe('a daemon that moves from one CA to the next', () => {
  const write = (certificates: readonly string[], keys: readonly Secret<string>[]): void => {
    writeFileSync(join(directory, 'ca.crt'), certificates.join(''));
    writeFileSync(join(directory, 'ca.key'), keys.map((key) => key.reveal()).join(''));
  };

  test('has all its CAs in the backup, with their keys', async () => {
    const next = await sampleAuthority(clock);
    write([authority.certificate, next.certificate], [next.key, authority.key]);
    await back();
    const { manifest } = await restore();
    expect(new Set(manifest.authorities.map(({ id }) => id)).size).toBe(2);
    write([authority.certificate, next.certificate], [authority.key]);
    await rm(file);
    await back();
    await expect(restore()).rejects.toMatchObject({ code: 'backup.damaged' });
  });

  test('is the same daemon as long as it has one of them', async () => {
    await rm(join(directory, 'revocations.log'));
    (await RevocationFile.open(join(directory, 'revocations.log'))).close();
    await back();
    const next = await sampleAuthority(clock);
    write([authority.certificate, next.certificate], [authority.key, next.key]);
    await restore();
    write([next.certificate], [next.key]);
    const kept = asked;
    await restore();
    expect([kept, asked]).toMatchObject([[{ mustDecide: false }], [{ mustDecide: true }]]);
  });
});

describe('who was shut out', () => {
  test('since the backup stays out, and nobody is asked', async () => {
    await back();
    await decide(directory, { deviceId: trusted, action: 'revoke' });
    await decide(directory, { deviceId: sampleDeviceId(9), action: 'ban' });
    const { revocations } = await restore();
    expect(await latest()).toEqual({
      [revokedBefore]: 'revoke',
      [trusted]: 'revoke',
      [sampleDeviceId(9)]: 'ban',
    });
    expect(revocations).toEqual({ added: 2, complete: true });
    expect(asked).toEqual([{ names: ['node-1'], mustDecide: false }]);
  });

  test('is asked about, device by device, where no file of revocations is', async () => {
    await back();
    await rm(directory, { recursive: true });
    const restored = await restore({ force: false }, [other]);
    expect(asked).toEqual([{ names: ['node-0', 'node-1'], mustDecide: true }]);
    expect(restored).toMatchObject({ revoked: [other], revocations: { complete: false } });
    expect(await latest()).toEqual({ [revokedBefore]: 'revoke', [other]: 'revoke' });
  });

  test.each([
    ['of a fresh directory of another daemon, which says nothing', 'ca.crt'],
    ['that ends before the backup does', 'same'],
  ])('is asked about where there is only a file %s', async (_what, kind) => {
    await rm(join(directory, 'revocations.log'));
    if (kind === 'same') await decide(directory, { deviceId: revokedBefore, action: 'revoke' });
    else (await RevocationFile.open(join(directory, 'revocations.log'))).close();
    await back();
    await rm(join(directory, 'revocations.log'));
    (await RevocationFile.open(join(directory, 'revocations.log'))).close();
    if (kind === 'ca.crt') {
      const ca = await createCa({ clock, keys: preparedKeys });
      writeFileSync(join(directory, 'ca.crt'), ca.certificatePem, { mode: 0o600 });
    }
    await restore();
    expect(asked).toMatchObject([{ mustDecide: true }]);
  });

  test('is not asked about where both files are empty and of the same daemon', async () => {
    await rm(join(directory, 'revocations.log'));
    (await RevocationFile.open(join(directory, 'revocations.log'))).close();
    await back();
    await restore();
    expect(asked).toMatchObject([{ mustDecide: false }]);
  });

  test('is taken from a copy that was saved elsewhere', async () => {
    await back();
    await decide(directory, { deviceId: trusted, action: 'remove' });
    const saved = join(base, 'saved.log');
    await copyFile(join(directory, 'revocations.log'), saved);
    await rm(directory, { recursive: true });
    const absent = restore({ force: false, revocationsFile: join(base, 'absent') });
    await expect(absent).rejects.toMatchObject({ code: 'backup.no_revocations' });
    await restore({ force: false, revocationsFile: saved });
    expect(asked).toEqual([{ names: ['node-1'], mustDecide: false }]);
    expect(await latest()).toMatchObject({ [trusted]: 'remove' });
  });
});

describe('nothing is changed', () => {
  async function refused(changes: Partial<RestoreBackupOptions>, code: string): Promise<void> {
    const before = contents();
    await expect(restore(changes)).rejects.toMatchObject({ code });
    expect(contents()).toEqual(before);
    expect(readdirSync(directory).filter((name) => name.startsWith('restore.'))).toEqual([]);
  }

  test('when the backup is torn, changed, encrypted or none', async () => {
    await back();
    const whole = readFileSync(file);
    for (const at of [
      0,
      1,
      511,
      512,
      1024,
      5000,
      whole.length - 1024,
      whole.length - 512,
      whole.length - 1,
    ]) {
      writeFileSync(file, whole.subarray(0, at));
      await refused({}, at < 16 ? 'backup.not_a_backup' : 'backup.damaged');
    }
    const changed = Buffer.from(whole);
    changed.writeUInt8(changed.readUInt8(whole.length - 8192) ^ 1, whole.length - 8192);
    writeFileSync(file, changed);
    await refused({}, 'backup.damaged');
    await rm(file);
    await createBackup({ stateDirectory: directory, file, version: '0.1.0', clock, passphrase, cost: 1024 });
    await refused({}, 'backup.passphrase_missing');
    await refused({ passphrase: new Secret('another horse battery') }, 'backup.wrong_passphrase');
  });

  test('when there is a state already, and no force', async () => {
    await back();
    await refused({ force: false }, 'backup.not_empty');
  });

  test('when a program works in the directory', async () => {
    await back();
    const held = await openStateDirectory(directory, { program: 'palyrad' });
    await refused({}, 'state.locked');
    held.release();
  });

  test('when the operator does not decide', async () => {
    await back();
    await refused(
      { revoke: () => Promise.reject(Object.assign(new Error('undecided'), { code: 'undecided' })) },
      'undecided',
    );
  });

  test('when the current file of revocations is damaged: who was shut out is not to be lost', async () => {
    await back();
    writeFileSync(join(directory, 'revocations.log'), 'nonsense\n');
    await refused({}, 'revocations.damaged');
  });

  test('when the database of the backup is of a newer version, or damaged', async () => {
    const database = new Database(join(directory, 'palyra.db'));
    database.pragma('user_version = 999');
    database.close();
    await back();
    await refused({}, 'store.newer_schema');
  });

  test('when the key of the CA is not that of its certificate', async () => {
    const { privateKey } = await preparedKeys.rsa(2048);
    writeFileSync(join(directory, 'ca.key'), privateKeyToPem(privateKey).reveal());
    await back();
    await refused({}, 'backup.damaged');
  });

  test('and no directory is left with a state in it when there was none', async () => {
    await back();
    const fresh = join(base, 'fresh');
    writeFileSync(file, readFileSync(file).subarray(0, 3000));
    await expect(restore({ stateDirectory: fresh })).rejects.toMatchObject({ code: 'backup.damaged' });
    expect(existsSync(fresh) ? contents(fresh) : {}).toEqual({});
  });
});
