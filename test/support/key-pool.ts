import { freshKeys, type KeyPair, type KeySource } from '../../src/adapters/pki/keys.js';
import { preparedKeys } from './prepared-keys.js';

/**
 * RSA-2048 keys that are prepared once and handed out in turn, also where one of 3072 bits is asked for: making one takes a tenth
 * of a second, and a test of many renewals needs hundreds. A source never hands out the same key twice in a row. Ed25519 keys
 * are fresh.
 */
export class KeyPool {
  readonly #pairs: readonly KeyPair[];

  private constructor(pairs: readonly KeyPair[]) {
    this.#pairs = pairs;
  }

  static async make(size: number): Promise<KeyPool> {
    return new KeyPool(await Promise.all(Array.from({ length: size }, () => preparedKeys.rsa(2048))));
  }

  /** @param first which key is handed out first, so that not all sources begin with the same */
  source(first: number): KeySource {
    let next = first;
    return {
      ed25519: () => freshKeys.ed25519(),
      rsa: async () => this.#pairs[next++ % this.#pairs.length] ?? freshKeys.rsa(2048),
    };
  }
}
