import type { X509Certificate } from 'node:crypto';
import type { NodePeer } from '../../../src/actors/session/sessions.js';
import { linkError } from '../../../src/adapters/grpc/status.js';
import {
  type CertificateFacts,
  inspectCertificate,
  parseCertificate,
} from '../../../src/adapters/pki/inspect-certificate.js';
import { caIdOf } from '../../../src/adapters/pki/uri-names.js';

/** Who looks at a certificate. */
export interface Verifier {
  /** Its wall clock, milliseconds since the epoch. */
  readonly now: number;
  /** CA certificates (PEM). */
  readonly trusts: readonly string[];
}

/** Why a certificate is not taken. */
export type Fault = 'not yet valid' | 'ended' | 'untrusted' | 'misnamed';

/** What is wrong with the daemon's certificate (PEM) in the eyes of a node. */
export function faultOfDaemon(certificate: string, node: Verifier): Fault | undefined {
  const { daemonCaId } = read(certificate);
  const isNamed = node.trusts.some((pem) => read(pem).caId === daemonCaId);
  return faultOf(certificate, node) ?? (isNamed ? undefined : 'misnamed');
}

/** What is wrong with a node's certificate (PEM) in the eyes of the daemon. */
export function faultOfNode(certificate: string, daemon: Verifier): Fault | undefined {
  const isNamed = read(certificate).deviceId !== undefined;
  return faultOf(certificate, daemon) ?? (isNamed ? undefined : 'misnamed');
}

/** What the daemon learns of a node from the certificate (PEM) that it took. */
export function peerOf(certificate: string): NodePeer {
  const { deviceId = '', fingerprint, notAfter } = read(certificate);
  return { deviceId, fingerprint, certificateEnds: notAfter, address: '192.0.2.1' };
}

/** What TLS makes of it for the other side: little more than that it failed. */
export function refusedByTls(whose: string, fault: Fault) {
  return linkError('tls_refused', `The TLS handshake failed: the certificate of the ${whose} is ${fault}`);
}

/** Chain and time, as TLS verifies them, by the clock of who verifies. */
function faultOf(pem: string, { now, trusts }: Verifier): Fault | undefined {
  const issuer = trusts.find((ca) => isIssuedBy(pem, ca));
  if (issuer === undefined) return 'untrusted';
  for (const { notBefore, notAfter } of [read(pem), read(issuer)]) {
    if (now < notBefore) return 'not yet valid';
    if (now >= notAfter) return 'ended';
  }
  return undefined;
}

interface ReadCertificate extends CertificateFacts {
  readonly certificate: X509Certificate;
  /** What it is called by if it is a CA. */
  readonly caId: string;
}

/** There are few certificates and many handshakes: each is read and verified once. */
const known = new Map<string, ReadCertificate>();
const verified = new Map<string, boolean>();

function read(pem: string): ReadCertificate {
  const before = known.get(pem);
  if (before) return before;
  const certificate = parseCertificate(pem);
  const facts = { ...inspectCertificate(certificate), certificate, caId: caIdOf(certificate.publicKey) };
  known.set(pem, facts);
  return facts;
}

function isIssuedBy(pem: string, caPem: string): boolean {
  const { certificate, fingerprint } = read(pem);
  const ca = read(caPem);
  const key = `${fingerprint} ${ca.fingerprint}`;
  const isIssued =
    verified.get(key) ??
    (certificate.checkIssued(ca.certificate) && certificate.verify(ca.certificate.publicKey));
  verified.set(key, isIssued);
  return isIssued;
}
