import type { IssuedCertificate } from '../authority/device-authority.js';
import type { DeviceCertificate, DeviceRecord } from './record.js';

/**
 * The certificates of a device, in the order in which they were issued, with one more. What it uses stays valid until a
 * session with the new one is live; one that was issued before and never used gives way, so at most one is pending
 * (protocol.md 14).
 *
 * @param csrDigest SHA-256 of the certificate request, lower-case hex.
 * @param shown the fingerprint of the certificate with which the device asks; undefined when it asks without one.
 * @param now milliseconds since the epoch
 */
export function withPending(
  certificates: readonly DeviceCertificate[],
  { pem, ...issued }: IssuedCertificate,
  csrDigest: string,
  shown: string | undefined,
  now: number,
): readonly DeviceCertificate[] {
  const used = certificates.filter(
    ({ pending, fingerprint }) => pending === undefined || fingerprint === shown,
  );
  const newest = Math.max(...used.map((certificate) => certificate.notAfter));
  // The last one is kept when it has ended: it says since when the device could not come.
  const kept = used.filter(({ notAfter }) => notAfter > now || notAfter === newest);
  return [...kept.map(inUse), { ...issued, pending: { csrDigest, pem, issuedAt: now } }];
}

/** By what it is told whether a certificate can be used yet. */
export interface InForce {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether certificates of a CA are accepted. @param issuer SHA-256 of its certificate, hex */
  trusts(issuer: string): boolean;
}

/** The pending certificate (PEM) that was issued for a request, if a node can still get in with it. */
export function pendingFor(
  certificates: readonly DeviceCertificate[],
  csrDigest: string,
  { now, trusts }: InForce,
): string | undefined {
  const found = certificates.find(
    ({ pending, notAfter, issuer }) => pending?.csrDigest === csrDigest && notAfter > now && trusts(issuer),
  );
  return found?.pending?.pem;
}

/** Whether the certificate with which a session is live is what an operator ordered: a new one, issued since. */
export function fulfils(
  { rotation, certificates }: Pick<DeviceRecord, 'rotation' | 'certificates'>,
  fingerprint: string,
): boolean {
  const used = certificates.find((certificate) => certificate.fingerprint === fingerprint);
  return rotation !== undefined && (used?.pending?.issuedAt ?? 0) >= rotation.at;
}

/**
 * What is left when a session with a certificate is live: that one, and those that were issued after it. Undefined when
 * nothing changes.
 */
export function afterUse(
  certificates: readonly DeviceCertificate[],
  fingerprint: string,
): readonly DeviceCertificate[] | undefined {
  const at = certificates.findIndex((certificate) => certificate.fingerprint === fingerprint);
  const used = certificates[at];
  if (!used || (at === 0 && used.pending === undefined)) return undefined;
  return [inUse(used), ...certificates.slice(at + 1)];
}

function inUse({ pending: _pending, ...certificate }: DeviceCertificate): DeviceCertificate {
  return certificate;
}
