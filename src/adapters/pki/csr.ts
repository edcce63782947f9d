import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { DeviceId } from '../../actors/identity/device-id.js';
import type { AppError } from '../../kernel/errors.js';
import { derElements } from './der.js';
import { signRequest } from './forge-signer.js';
import type { KeyPair } from './keys.js';
import { pkiError } from './pki-errors.js';

/** A request for a certificate as a node makes it. */
export interface CertificateRequest {
  /** PKCS #10 in DER (RFC 2986). */
  readonly der: Buffer;
  /** SHA-256 of `der`, 32 bytes: what Begin announces and later calls are signed over. */
  readonly digest: Buffer;
}

const maxBytes = 4096;
const sequence = 0x30;
const bitString = 0x03;
const attributes = 0xa0;
const version1 = Buffer.from('020100', 'hex');
/** AlgorithmIdentifier of sha256WithRSAEncryption (RFC 4055 section 5). */
const sha256WithRsa = Buffer.from('300d06092a864886f70d01010b0500', 'hex');

/**
 * Makes a request for the TLS key of a device, signed in the thread pool. The private key stays where it is.
 *
 * @example
 * const { der, digest } = await createRequest(await freshKeys.rsa(2048), deviceId);
 */
export async function createRequest(keys: KeyPair, deviceId: DeviceId): Promise<CertificateRequest> {
  const subject = [{ name: 'commonName', value: deviceId }];
  const der = await signRequest(subject, keys.publicKey, keys.privateKey);
  return { der, digest: createHash('sha256').update(der).digest() };
}

/**
 * Checks a request that a peer sent and takes out its key, which is all that a certificate is made from: RSA of 2048 to
 * 4096 bits with the exponent 65537, and a SHA-256 signature by that same key.
 *
 * @throws AppError `pki.invalid_request` that says what is wrong.
 */
export function checkRequest(request: Uint8Array): KeyObject {
  if (request.length > maxBytes)
    throw invalid(`has ${request.length} bytes; at most ${maxBytes} are allowed`);
  const der = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  const { info, publicKeyInfo, signature } = partsOf(der);
  const publicKey = readPublicKey(publicKeyInfo);
  const { modulusLength = 0, publicExponent } = publicKey.asymmetricKeyDetails ?? {};
  if (publicKey.asymmetricKeyType !== 'rsa')
    throw invalid(`is for a key of type ${publicKey.asymmetricKeyType}, not RSA`);
  if (modulusLength < 2048 || modulusLength > 4096) {
    throw invalid(`is for an RSA key of ${modulusLength} bits; 2048 to 4096 are allowed`);
  }
  if (publicExponent !== 65537n)
    throw invalid(`is for an RSA key with the exponent ${publicExponent}, not 65537`);
  if (!verify('sha256', info, publicKey, signature)) throw invalid('is not signed by its own key');
  return publicKey;
}

function partsOf(der: Buffer): { info: Buffer; publicKeyInfo: Buffer; signature: Buffer } {
  const [request, ...after] = derElements(der) ?? [];
  const [info, algorithm, signature, ...more] = (request && derElements(request.content)) ?? [];
  const [version, subject, publicKeyInfo, extra, ...rest] = (info && derElements(info.content)) ?? [];
  const shaped =
    request?.tag === sequence &&
    info?.tag === sequence &&
    version?.whole.equals(version1) &&
    subject?.tag === sequence &&
    publicKeyInfo?.tag === sequence &&
    extra?.tag === attributes &&
    signature?.tag === bitString &&
    signature.content[0] === 0 &&
    after.length + more.length + rest.length === 0;
  if (!shaped) throw invalid('is not a PKCS #10 request in DER');
  if (!algorithm?.whole.equals(sha256WithRsa)) throw invalid('is not signed with SHA-256 and RSA');
  return { info: info.whole, publicKeyInfo: publicKeyInfo.whole, signature: signature.content.subarray(1) };
}

function readPublicKey(publicKeyInfo: Buffer): KeyObject {
  try {
    return createPublicKey({ key: publicKeyInfo, format: 'der', type: 'spki' });
  } catch (cause) {
    throw invalid('holds no readable public key', cause);
  }
}

function invalid(problem: string, cause?: unknown): AppError {
  return pkiError('invalid_request', `The certificate request ${problem}`, {
    hint: 'Make the request with `palyra node`, which uses RSA-2048 and SHA-256.',
    fields: [{ field: 'csr', message: problem }],
    cause,
  });
}
