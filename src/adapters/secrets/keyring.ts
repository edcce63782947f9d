import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '../../kernel/secret.js';
import { readPrivateFile, writePrivateFile } from '../os/private-file.js';
import { assertStrong } from './passphrase.js';
import { passphraseError } from './passphrase-errors.js';
import { areParameters, freshParameters, keyOfPassphrase, type ScryptParameters } from './passphrase-key.js';
import { seal, unseal } from './sealing.js';

/** The file that says that the keys of a state directory are sealed. */
export const keyringFile = 'keyring.json';

/** The key under which the secret files of one directory are sealed, and its public name. */
export interface StateKey {
  readonly id: string;
  readonly key: Secret<Buffer>;
}

interface StoredKeyring {
  readonly version: 1;
  readonly keyId: string;
  readonly kdf: ScryptParameters;
  /** The state key, sealed under the passphrase's key; base64url. */
  readonly wrappedKey: string;
}

/**
 * Opens the state key of a directory with the passphrase; undefined when the directory has none.
 *
 * @throws AppError `passphrase.missing`, `passphrase.wrong`, `passphrase.damaged`.
 */
export async function openKeyring(
  directory: string,
  passphrase: Secret<string> | undefined,
): Promise<StateKey | undefined> {
  const path = join(directory, keyringFile);
  const content = await readPrivateFile(path);
  if (content === undefined) return undefined;
  const stored = parse(content, path);
  if (passphrase === undefined) {
    throw passphraseError('missing', `The keys in ${directory} are sealed, and no passphrase was given`, {
      hint: 'Name its file with --passphrase-file or PALYRA_PASSPHRASE_FILE',
      details: { directory },
    });
  }
  const key = unseal(
    await keyOfPassphrase(passphrase, stored.kdf),
    Buffer.from(stored.wrappedKey, 'base64url'),
    contextOf(stored),
  );
  if (key === undefined) {
    throw passphraseError('wrong', `The passphrase does not open the keys in ${directory}`, {
      hint: 'Give the one with which they were sealed. Without it they are lost: restore a backup whose passphrase you have',
      details: { directory },
    });
  }
  return { id: stored.keyId, key: new Secret(key) };
}

/**
 * Puts a state key under a passphrase: a new one, or the one that is there under another passphrase. One file is replaced,
 * so the old passphrase holds until the new one does.
 *
 * @param cost of scrypt; less than the standard is for tests
 * @throws AppError `passphrase.too_short`.
 */
export async function writeKeyring(
  directory: string,
  passphrase: Secret<string>,
  existing?: StateKey,
  cost?: number,
): Promise<StateKey> {
  assertStrong(passphrase);
  const state = existing ?? { id: randomBytes(8).toString('hex'), key: new Secret(randomBytes(32)) };
  const head = { version: 1, keyId: state.id, kdf: freshParameters(cost) } as const;
  const wrapped = seal(await keyOfPassphrase(passphrase, head.kdf), state.key.reveal(), contextOf(head));
  const stored: StoredKeyring = { ...head, wrappedKey: wrapped.toString('base64url') };
  await writePrivateFile(join(directory, keyringFile), `${JSON.stringify(stored, null, 2)}\n`);
  return state;
}

/** From now on the directory has no passphrase. What is still sealed is lost: unseal it first. */
export async function deleteKeyring(directory: string): Promise<void> {
  await rm(join(directory, keyringFile), { force: true });
}

function contextOf({ keyId, kdf }: Omit<StoredKeyring, 'wrappedKey'>): string {
  return `palyra keyring v1 ${keyId} ${kdf.name} ${kdf.cost} ${kdf.blockSize} ${kdf.parallelization} ${kdf.salt}`;
}

function parse(content: Buffer, path: string): StoredKeyring {
  let value: Partial<Record<keyof StoredKeyring, unknown>> | undefined;
  try {
    value = JSON.parse(content.toString('utf8')) as typeof value;
  } catch {
    // Told below with everything else that is no keyring.
  }
  const { version, keyId, kdf, wrappedKey } = value ?? {};
  if (version !== 1 || typeof keyId !== 'string' || typeof wrappedKey !== 'string' || !areParameters(kdf)) {
    throw passphraseError('damaged', `${path} is no keyring that this version can read`, {
      hint: 'Restore it from a backup; the sealed keys can not be opened without it',
      details: { path },
    });
  }
  return { version, keyId, kdf, wrappedKey };
}
