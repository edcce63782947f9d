import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** The fixed start of an Ed25519 public key in SPKI DER (RFC 8410 section 4); the raw key follows. */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** The raw 32 bytes of an Ed25519 public key (RFC 8032). */
export function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(spkiPrefix.length);
}

/** Signs a statement with an Ed25519 private key (RFC 8032, pure). */
export function signEd25519(privateKey: KeyObject, statement: Uint8Array): Buffer {
  return sign(null, statement, privateKey);
}

/** Whether `signature` is the Ed25519 signature of `statement` by the raw public key. False for malformed input. */
export function verifyEd25519(rawKey: Uint8Array, statement: Uint8Array, signature: Uint8Array): boolean {
  if (rawKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = createPublicKey({ key: Buffer.concat([spkiPrefix, rawKey]), format: 'der', type: 'spki' });
    return verify(null, statement, key, signature);
  } catch {
    return false;
  }
}
