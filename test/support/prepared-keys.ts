import { createPublicKey, randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPrivateFile, writePrivateFile } from '../../src/adapters/os/private-file.js';
import {
  freshKeys,
  type KeyPair,
  type KeySource,
  privateKeyFromPem,
  privateKeyToPem,
} from '../../src/adapters/pki/keys.js';
import { Secret } from '../../src/kernel/secret.js';

const folder = fileURLToPath(new URL('../../node_modules/.cache/palyra-test-keys', import.meta.url));

/** How many different keys there are of a size: more than one test has in use at a time. */
const counts = { 2048: 48, 3072: 12 } as const;

/**
 * RSA keys that were made by an earlier test, an earlier run included, and are kept on disk: making one takes 150 or 600 ms
 * of a core, and the tests need hundreds. They are handed out in turn, from a random one on, so none comes twice before all
 * others have come. Ed25519 keys, by which devices are told apart, are fresh.
 */
class PreparedKeys implements KeySource {
  readonly #next = { 2048: randomInt(counts[2048]), 3072: randomInt(counts[3072]) };
  readonly #pairs = new Map<string, Promise<KeyPair>>();

  rsa(bits: 2048 | 3072): Promise<KeyPair> {
    const name = `rsa-${bits}-${this.#next[bits]++ % counts[bits]}.key`;
    const pair = this.#pairs.get(name) ?? prepared(join(folder, name), bits);
    this.#pairs.set(name, pair);
    return pair;
  }

  ed25519(): Promise<KeyPair> {
    return freshKeys.ed25519();
  }
}

async function prepared(path: string, bits: 2048 | 3072): Promise<KeyPair> {
  const kept = await readPrivateFile(path);
  if (kept) {
    const privateKey = privateKeyFromPem(new Secret(kept));
    return { privateKey, publicKey: createPublicKey(privateKey) };
  }
  const pair = await freshKeys.rsa(bits);
  mkdirSync(folder, { recursive: true });
  await writePrivateFile(path, privateKeyToPem(pair.privateKey).reveal());
  return pair;
}

export const preparedKeys: KeySource = new PreparedKeys();
