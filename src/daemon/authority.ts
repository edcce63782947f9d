import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '../adapters/os/private-file.js';
import { type CertificateAuthority, createCa, loadCa } from '../adapters/pki/certificate-authority.js';
import { inspectCertificate } from '../adapters/pki/inspect-certificate.js';
import { freshKeys, privateKeyFromPem, privateKeyToPem } from '../adapters/pki/keys.js';
import { pkiError } from '../adapters/pki/pki-errors.js';
import type { Clock } from '../kernel/clock.js';
import type { KernelLog } from '../kernel/log.js';
import { Secret } from '../kernel/secret.js';
import type { DaemonConfig } from './config/daemon-config.js';

export interface AuthorityOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: KernelLog;
  readonly certificates: DaemonConfig['certificates'];
}

/** The daemon's key and certificate for both gRPC ports. Times are milliseconds since the epoch. */
export interface ServerIdentity {
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * The daemon's CA, made at the first start.
 *
 * @throws AppError `pki.invalid_key` when only one of its two files is there: a new CA would lock every node out.
 */
export async function openAuthority(options: AuthorityOptions): Promise<CertificateAuthority> {
  const { directory, clock, certificates } = options;
  const lifetimes = { deviceMs: certificates.deviceLifetimeMs, serverMs: certificates.serverLifetimeMs };
  const keyFile = join(directory, 'ca.key');
  const certificateFile = join(directory, 'ca.crt');
  const [key, certificate] = await Promise.all([readPrivateFile(keyFile), readPrivateFile(certificateFile)]);
  if (key && certificate) {
    const privateKey = privateKeyFromPem(new Secret(key.toString('utf8')));
    return loadCa({ clock, ...lifetimes, certificatePem: certificate.toString('utf8'), privateKey });
  }
  // The key is written first: a certificate without its key can only come from a loss.
  if (certificate) {
    throw pkiError('invalid_key', `The key of the CA is missing: ${keyFile}`, {
      hint: 'Restore the state directory from a backup. A new CA would lock every paired node out.',
    });
  }
  const ca = await createCa({ clock, ...lifetimes, lifetimeMs: certificates.caLifetimeMs, keys: freshKeys });
  await writePrivateFile(keyFile, privateKeyToPem(ca.privateKey).reveal());
  await writePrivateFile(certificateFile, ca.certificatePem);
  options.log.info({ caFingerprint: ca.fingerprint }, 'Made a new certificate authority');
  return ca;
}

/** A certificate is renewed when two thirds of its lifetime are over. */
export function renewalTime(identity: { readonly notBefore: number; readonly notAfter: number }): number {
  return identity.notBefore + ((identity.notAfter - identity.notBefore) * 2) / 3;
}

/**
 * The daemon's server certificate: the one on disk while it has a third of its life left, is of this CA and names the
 * hosts; else a new one with a fresh key.
 */
export async function serverIdentity(
  ca: CertificateAuthority,
  hosts: readonly string[],
  { directory, clock, log }: AuthorityOptions,
): Promise<ServerIdentity> {
  const file = join(directory, 'server.json');
  const kept = await readPrivateFile(file);
  const stored = kept && (JSON.parse(kept.toString('utf8')) as StoredIdentity);
  if (stored && stored.caId === ca.caId && stored.hosts.join() === hosts.join()) {
    const { notBefore, notAfter } = inspectCertificate(stored.certificatePem);
    const privateKey = privateKeyFromPem(new Secret(stored.privateKeyPem));
    const identity = { certificatePem: stored.certificatePem, privateKey, notBefore, notAfter };
    if (clock.now() < renewalTime(identity)) return identity;
  }
  const { publicKey, privateKey } = await freshKeys.rsa(2048);
  const issued = await ca.issueServer({ publicKey, hosts });
  const next: StoredIdentity = {
    caId: ca.caId,
    hosts,
    certificatePem: issued.pem,
    privateKeyPem: privateKeyToPem(privateKey).reveal(),
  };
  await writePrivateFile(file, JSON.stringify(next));
  log.info({ notAfter: new Date(issued.notAfter).toISOString() }, 'Issued a server certificate');
  return { certificatePem: issued.pem, privateKey, notBefore: issued.notBefore, notAfter: issued.notAfter };
}

interface StoredIdentity {
  readonly caId: string;
  readonly hosts: readonly string[];
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}
