import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '../adapters/os/private-file.js';
import { type CertificateAuthority, createCa, loadCa } from '../adapters/pki/certificate-authority.js';
import { freshKeys, privateKeyFromPem, privateKeyToPem } from '../adapters/pki/keys.js';
import { pkiError } from '../adapters/pki/pki-errors.js';
import type { SecretFiles } from '../adapters/secrets/secret-files.js';
import type { Clock } from '../kernel/clock.js';
import type { KernelLog } from '../kernel/log.js';
import type { DaemonConfig } from './config/daemon-config.js';

export interface AuthorityOptions {
  readonly directory: string;
  /** The files of that directory which hold keys. */
  readonly files: SecretFiles;
  readonly clock: Clock;
  readonly log: KernelLog;
  readonly certificates: DaemonConfig['certificates'];
}

/**
 * The daemon's CA, made at the first start.
 *
 * @throws AppError `pki.invalid_key` when only one of its two files is there: a new CA would lock every node out.
 */
export async function openAuthority(options: AuthorityOptions): Promise<CertificateAuthority> {
  const { directory, files, clock, certificates } = options;
  const lifetimes = { deviceMs: certificates.deviceLifetimeMs, serverMs: certificates.serverLifetimeMs };
  const keyFile = 'ca.key';
  const certificateFile = join(directory, 'ca.crt');
  const [key, certificate] = await Promise.all([files.read(keyFile), readPrivateFile(certificateFile)]);
  if (key && certificate) {
    const privateKey = privateKeyFromPem(key);
    return loadCa({ clock, ...lifetimes, certificatePem: certificate.toString('utf8'), privateKey });
  }
  // The key is written first: a certificate without its key can only come from a loss.
  if (certificate) {
    throw pkiError('invalid_key', `The key of the CA is missing: ${join(directory, keyFile)}`, {
      hint: 'Restore a backup: palyra restore FILE --force. A new CA would lock every paired node out.',
    });
  }
  const ca = await createCa({ clock, ...lifetimes, lifetimeMs: certificates.caLifetimeMs, keys: freshKeys });
  await files.write(keyFile, privateKeyToPem(ca.privateKey));
  await writePrivateFile(certificateFile, ca.certificatePem);
  options.log.info({ caFingerprint: ca.fingerprint }, 'Made a new certificate authority');
  return ca;
}
