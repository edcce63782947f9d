import { createHash, createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Secret } from '../../kernel/secret.js';
import { pkiError } from './pki-errors.js';

const generate = promisify(generateKeyPair);

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Where keys come from. RSA keys are made in the thread pool and take 100 to 500 ms, so tests take them from a pool. */
export interface KeySource {
  rsa(bits: 2048 | 3072): Promise<KeyPair>;
  ed25519(): Promise<KeyPair>;
}

/** Makes new keys with Node's own crypto, without blocking the event loop. RSA exponents are 65537. */
export const freshKeys: KeySource = {
  rsa: (bits) => generate('rsa', { modulusLength: bits, publicExponent: 0x10001 }),
  ed25519: () => generate('ed25519'),
};

/** A private key as PKCS #8 PEM, in clear: it goes to disk through `SecretFiles`, which seals it when there is a passphrase. */
export function privateKeyToPem(key: KeyObject): Secret<string> {
  return new Secret(key.export({ format: 'pem', type: 'pkcs8' }).toString());
}

/**
 * Reads a private key from PEM.
 *
 * @throws AppError `pki.invalid_key` when it is no private key, or one that another program has encrypted.
 */
export function privateKeyFromPem(pem: Secret<string> | Secret<Buffer>): KeyObject {
  try {
    return createPrivateKey({ key: pem.reveal(), format: 'pem' });
  } catch (cause) {
    throw pkiError('invalid_key', 'This is not a private key in PEM', {
      hint: 'Restore the key file from a backup.',
      cause,
    });
  }
}

/** A public key as SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7). */
export function publicKeyToDer(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

/** Names a public key: SHA-256 of its SubjectPublicKeyInfo in DER, lower-case hex. */
export function publicKeySha256(key: KeyObject): string {
  return createHash('sha256').update(publicKeyToDer(key)).digest('hex');
}
