import { createHash, X509Certificate } from 'node:crypto';
import type { DeviceId } from '../../actors/identity/device-id.js';
import { pkiError } from './pki-errors.js';
import { type CertificateName, parseCertificateUri } from './uri-names.js';

const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

/** What one of our certificates says. It proves nothing by itself: the TLS handshake checks chain, time and key. */
export interface CertificateFacts {
  /** SHA-256 of the DER, 64 hex digits. */
  readonly fingerprint: string;
  /** The serial number, lower-case hex. */
  readonly serial: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The device that it names; only when it has that one name and may be a TLS client, and nothing else. */
  readonly deviceId?: DeviceId;
  /** The CA id of the daemon that it names; only when it may be a TLS server, and nothing else. */
  readonly daemonCaId?: string;
}

/** SHA-256 of a certificate's DER, 64 hex digits. */
export function fingerprintOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

/**
 * Reads a certificate.
 *
 * @param certificate PEM, DER or an already parsed one.
 * @throws AppError `pki.invalid_certificate` when it is no certificate.
 */
export function inspectCertificate(certificate: string | Uint8Array | X509Certificate): CertificateFacts {
  const parsed = certificate instanceof X509Certificate ? certificate : parseCertificate(certificate);
  const name = nameOf(parsed);
  return {
    fingerprint: fingerprintOf(parsed.raw),
    serial: parsed.serialNumber.toLowerCase(),
    notBefore: Date.parse(parsed.validFrom),
    notAfter: Date.parse(parsed.validTo),
    ...(name?.kind === 'device' && mayOnlyBe(parsed, clientAuth) ? { deviceId: name.deviceId } : {}),
    ...(name?.kind === 'daemon' && mayOnlyBe(parsed, serverAuth) ? { daemonCaId: name.caId } : {}),
  };
}

/** @throws AppError `pki.invalid_certificate`. */
export function parseCertificate(certificate: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (cause) {
    throw pkiError('invalid_certificate', 'This is not an X.509 certificate', {
      hint: 'Restore the file from a backup, or pair again.',
      cause,
    });
  }
}

/** Node writes the names as `URI:…, DNS:…` and quotes those that could be mistaken for more than one: none of ours. */
function nameOf(certificate: X509Certificate): CertificateName | undefined {
  const names = certificate.subjectAltName ?? '';
  if (names.includes('"')) return undefined;
  const all = names.split(', ');
  const uris = all.filter((name) => name.startsWith('URI:'));
  const [uri] = uris;
  if (uri === undefined || uris.length !== 1) return undefined;
  const name = parseCertificateUri(uri.slice('URI:'.length));
  return name?.kind === 'device' && all.length !== 1 ? undefined : name;
}

function mayOnlyBe(certificate: X509Certificate, usage: string): boolean {
  // Node leaves the property out when the certificate has no extended key usage, which would allow anything.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  return !certificate.ca && usages?.length === 1 && usages[0] === usage;
}
