/**
 * The name that a node sends in the handshake (SNI, RFC 6066) to say which CA it knows, so that a daemon that has several
 * proves itself by that one. It is no secret and proves nothing: what the daemon then shows is verified as always.
 *
 * @param fingerprint SHA-256 of the CA certificate, hex
 */
export function caServerName(fingerprint: string): string {
  return `ca-${fingerprint.slice(0, 32)}.palyra.invalid`;
}
