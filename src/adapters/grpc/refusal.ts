import type { TLSSocket } from 'node:tls';
import { errorTable } from '../../kernel/errors.js';

/** Why a connection did not become a session. */
export type RefusalReason =
  /** Past a limit of the connection budget, or too many connections are open. */
  | 'budget'
  | 'no_certificate'
  /** Not issued by our CA, or not for a TLS client. */
  | 'untrusted_certificate'
  | 'expired'
  | 'not_yet_valid'
  /** Issued by our CA, but not to a device. */
  | 'not_a_device'
  | 'handshake_timeout'
  /** The peer speaks no HTTP/2. */
  | 'no_http2'
  | 'hung_up'
  /** Anything else that ends a handshake: no TLS at all, TLS 1.2, a wrong record. */
  | 'tls_failure';

export interface Refusal {
  /** The peer's IP address. */
  readonly address: string;
  readonly reason: RefusalReason;
  readonly error: Error;
}

/** Makes the errors of a gRPC port. */
export const listenerError = errorTable('listener', {
  budget: { category: 'busy', retryable: true },
  not_a_device: { category: 'unauthenticated', retryable: false },
  no_http2: { category: 'validation', retryable: false },
  cannot_listen: { category: 'precondition', retryable: false },
});

/** OpenSSL's names of what is wrong with a certificate. */
const byVerification = new Map<string, RefusalReason>([
  ['CERT_HAS_EXPIRED', 'expired'],
  ['CERT_NOT_YET_VALID', 'not_yet_valid'],
]);

const byCode = new Map<string, RefusalReason>([
  ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'no_certificate'],
  ['ERR_SSL_NO_APPLICATION_PROTOCOL', 'no_http2'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'handshake_timeout'],
  ['ECONNRESET', 'hung_up'],
  ['EPIPE', 'hung_up'],
]);

/** Why the handshake on a socket failed. What verification found counts first: Node reports it as a mere hang-up. */
export function refusalReason(error: NodeJS.ErrnoException, socket: TLSSocket): RefusalReason {
  // Typed as an Error, but what a server's socket holds is OpenSSL's name.
  const verification: unknown = socket.authorizationError;
  if (verification) return byVerification.get(String(verification)) ?? 'untrusted_certificate';
  return byCode.get(error.code ?? '') ?? 'tls_failure';
}
