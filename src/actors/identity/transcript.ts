import { createHash } from 'node:crypto';
import { lengthPrefixed } from './length-prefixed.js';

const transcriptLabel = 'palyra enrolment transcript v1';
const proofLabel = 'palyra enrolment proof v1';
const statementLabel = 'palyra signed call v1';
const returnLabel = 'palyra return v1';

/**
 * What both sides of an enrolment saw: SHA-256 over the complete bytes of Begin and BeginReply as they crossed the wire
 * (protocol.md 4). Anything that was changed on the way, or added to a message, gives another digest.
 *
 * @returns 32 bytes.
 */
export function transcriptDigest(begin: Uint8Array, beginReply: Uint8Array): Buffer {
  return createHash('sha256')
    .update(lengthPrefixed(transcriptLabel, begin, beginReply))
    .digest();
}

/** The bytes that the identity key and the join key sign in Prove. `transcript` is from {@link transcriptDigest}. */
export function proofStatement(transcript: Uint8Array): Buffer {
  return lengthPrefixed(proofLabel, transcript);
}

/** What the identity key vouches for in every call after Prove (protocol.md 5). */
export interface StatementFields {
  /** The name of the RPC, such as `Confirm`: a signature for one is worthless for another. */
  readonly rpc: string;
  /** The id of the pairing or of the device. */
  readonly subject: string;
  /** SHA-256 of the certificate request, 32 bytes. */
  readonly csrDigest: Uint8Array;
  /** The daemon's fresh nonce, 32 bytes. */
  readonly nonce: Uint8Array;
}

/** The bytes that the identity key signs for waiting, confirming, coming back and renewing. */
export function signedStatement(fields: StatementFields): Buffer {
  return lengthPrefixed(statementLabel, fields.rpc, fields.subject, fields.csrDigest, fields.nonce);
}

/**
 * The names of both sides of a PIN's SPAKE2 exchange: the node's raw identity key, and SHA-256 of the CA certificate that the
 * daemon showed. Additional data is the transcript. So a confirmation is worth nothing for another device, daemon or exchange.
 */
export function pinIdentities(
  identityKey: Uint8Array,
  caCertificate: Uint8Array,
): { A: Uint8Array; B: Uint8Array } {
  return { A: identityKey, B: createHash('sha256').update(caCertificate).digest() };
}

/**
 * What the words of a device are made of that comes back, and what an operator's decision names: the device and the key that
 * it asks a certificate for.
 *
 * @param csrDigest SHA-256 of the certificate request, 32 bytes
 * @returns 32 bytes
 */
export function returnTranscript(deviceId: string, csrDigest: Uint8Array): Buffer {
  return createHash('sha256')
    .update(lengthPrefixed(returnLabel, deviceId, csrDigest))
    .digest();
}
