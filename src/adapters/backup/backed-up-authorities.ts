import { createPublicKey, type KeyObject } from 'node:crypto';
import { Secret } from '../../kernel/secret.js';
import { fingerprintOf, parseCertificate } from '../pki/inspect-certificate.js';
import { privateKeyFromPem } from '../pki/keys.js';
import { pemBlocks } from '../pki/pem-blocks.js';
import { caIdOf } from '../pki/uri-names.js';
import { isSealed } from '../secrets/secret-files.js';

/** One of the daemon's CAs, by its public names. A daemon has more than one while nodes move to the next. */
export interface AuthorityName {
  /** SHA-256 of its public key, hex: what nodes know the daemon by. */
  readonly id: string;
  /** SHA-256 of its certificate, hex: what join strings pin. */
  readonly fingerprint: string;
}

/**
 * The CAs in the content of `ca.crt`, oldest first.
 *
 * @throws AppError `pki.invalid_certificate`.
 */
export function authoritiesIn(certificates: Uint8Array): readonly AuthorityName[] {
  return certificatesIn(certificates).map(({ publicKey, raw }) => ({
    id: caIdOf(publicKey),
    fingerprint: fingerprintOf(raw),
  }));
}

/**
 * Whether each CA has its key in the content of `ca.key`. Keys that are sealed are looked at when the daemon starts, which
 * has their passphrase.
 *
 * @throws AppError `pki.invalid_certificate`, `pki.invalid_key`.
 */
export function haveKeys(certificates: Uint8Array, keys: Buffer): boolean {
  if (isSealed(keys)) return true;
  const publicKeys = pemBlocks(keys.toString('utf8')).map(
    (pem): KeyObject => createPublicKey(privateKeyFromPem(new Secret(pem))),
  );
  return certificatesIn(certificates).every(({ publicKey }) =>
    publicKeys.some((key) => key.equals(publicKey)),
  );
}

function certificatesIn(content: Uint8Array) {
  return pemBlocks(Buffer.from(content).toString('utf8')).map((pem) => parseCertificate(pem));
}
