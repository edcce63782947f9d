import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
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

/**
 * A private key as PKCS #8 PEM, encrypted (AES-256-CBC, PBES2) when there is a passphrase.
 *
 * @example
 * await writeFile('ca.key', privateKeyToPem(ca.privateKey).reveal(), { mode: 0o600 });
 */
export function privateKeyToPem(key: KeyObject, passphrase?: Secret<string>): Secret<string> {
  const encryption =
    passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase: passphrase.reveal() };
  return new Secret(key.export({ format: 'pem', type: 'pkcs8', ...encryption }).toString());
}

/**
 * Reads a private key from PEM.
 *
 * @throws AppError `pki.wrong_passphrase` when the key is encrypted and the passphrase is missing or wrong,
 *   `pki.invalid_key` when it is no private key.
 */
export function privateKeyFromPem(pem: Secret<string>, passphrase?: Secret<string>): KeyObject {
  const text = pem.reveal();
  const encrypted = text.includes('ENCRYPTED');
  if (encrypted && passphrase === undefined) {
    throw pkiError('wrong_passphrase', 'The private key is encrypted and no passphrase was given', {
      hint: 'Give the passphrase with which the key was written.',
    });
  }
  try {
    return createPrivateKey({
      key: text,
      format: 'pem',
      ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }),
    });
  } catch (cause) {
    if (encrypted) {
      throw pkiError('wrong_passphrase', 'The private key does not open with this passphrase', {
        hint: 'Give the passphrase with which the key was written.',
        cause,
      });
    }
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
