import type { X509Certificate } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import type {
  DeviceAuthority,
  IssuedCertificate,
  ShownDevice,
} from '../actors/authority/device-authority.js';
import type { Standing } from '../actors/authority/record.js';
import { readPrivateFile, writePrivateFile } from '../adapters/os/private-file.js';
import { type CertificateAuthority, createCa, loadCa } from '../adapters/pki/certificate-authority.js';
import { checkRequest } from '../adapters/pki/csr.js';
import { parseCertificate } from '../adapters/pki/inspect-certificate.js';
import {
  freshKeys,
  type KeySource,
  privateKeyFromPem,
  privateKeyToPem,
  publicKeySha256,
} from '../adapters/pki/keys.js';
import { pemBlocks } from '../adapters/pki/pem-blocks.js';
import { pkiError } from '../adapters/pki/pki-errors.js';
import type { SecretFiles } from '../adapters/secrets/secret-files.js';
import type { Clock } from '../kernel/clock.js';
import type { KernelLog } from '../kernel/log.js';
import { Secret } from '../kernel/secret.js';
import type { DaemonConfig } from './config/daemon-config.js';

export interface AuthorityOptions {
  readonly directory: string;
  /** The files of that directory which hold keys. */
  readonly files: SecretFiles;
  readonly clock: Clock;
  readonly log: KernelLog;
  readonly certificates: DaemonConfig['certificates'];
  /** Default: fresh ones. */
  readonly keys?: KeySource;
}

/** One file of each, so that a copy of the directory has all keys and all certificates, or those of an earlier time. */
const keyFile = 'ca.key';
const certificateFile = 'ca.crt';

/**
 * The daemon's certificate authorities on disk, and what each is used for. One issues; while nodes move from one to the next
 * both are trusted; by any of them the daemon can prove itself to a node that knows no other.
 */
export class Authorities implements DeviceAuthority {
  readonly #options: AuthorityOptions;
  readonly #listeners = new Set<() => void>();
  /** By fingerprint, oldest first. */
  #all: ReadonlyMap<string, CertificateAuthority>;
  #standing: Standing | undefined;

  private constructor(options: AuthorityOptions, all: readonly CertificateAuthority[]) {
    this.#options = options;
    this.#all = byFingerprint(all);
  }

  /**
   * Reads them, and makes the first one at the first start. Call {@link Authorities.apply} before anything else.
   *
   * @throws AppError `pki.invalid_key` when a certificate is there without its key: a new CA would lock every node out.
   */
  static async open(options: AuthorityOptions): Promise<Authorities> {
    const { directory, files, log } = options;
    const [keys, certificates] = await Promise.all([
      files.read(keyFile),
      readPrivateFile(join(directory, certificateFile)),
    ]);
    const found = readAll(options, keys, certificates?.toString('utf8') ?? '');
    const authorities = new Authorities(options, found);
    if (found.length === 0) {
      const fingerprint = await authorities.make([]);
      log.info({ caFingerprint: fingerprint }, 'Made a new certificate authority');
    }
    return authorities;
  }

  /** Their fingerprints, oldest first. */
  get fingerprints(): readonly string[] {
    return [...this.#all.keys()];
  }

  /** @throws AppError `pki.invalid_key` when it is not on the disk. */
  get(fingerprint: string): CertificateAuthority {
    const ca = this.#all.get(fingerprint);
    if (ca) return ca;
    throw pkiError('invalid_key', `The CA ${fingerprint} is not in ${certificateFile}`, {
      hint: 'Restore a backup: palyra restore FILE --force. A new CA would lock every paired node out.',
    });
  }

  /** The one that issues: join strings pin it. */
  get issuing(): CertificateAuthority {
    return this.get(this.#now.issuing);
  }

  /** All that are in force: by these the daemon proves itself. The first is for whoever does not say which one they know. */
  get serving(): readonly CertificateAuthority[] {
    const first = this.get(this.#now.serving);
    const now = this.#options.clock.now();
    return [first, ...[...this.#all.values()].filter((ca) => ca !== first && now < ca.notAfter)];
  }

  get trusted(): readonly CertificateAuthority[] {
    return this.#now.trusted.map((fingerprint) => this.get(fingerprint));
  }

  /** Does as the record says from now on. */
  apply(standing: Standing): void {
    this.#standing = standing;
    for (const listener of this.#listeners) listener();
  }

  /** Calls back when what is issued, trusted or served has changed. */
  onChanged(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Makes one that is none of these, or takes one that was made and came to nothing. Resolves with its fingerprint when it is
   * on disk; nothing is issued by it before {@link Authorities.apply}.
   */
  async make(known: readonly string[]): Promise<string> {
    const unused = this.fingerprints.find((fingerprint) => !known.includes(fingerprint));
    if (unused !== undefined) return unused;
    const { clock, certificates, keys = freshKeys } = this.#options;
    const ca = await createCa({
      clock,
      ...lifetimes(certificates),
      lifetimeMs: certificates.caLifetimeMs,
      keys,
    });
    const all = [...this.#all.values(), ca];
    // The key first: a certificate without its key can only come from a loss.
    await this.#writeKeys(all);
    await this.#writeCertificates(all);
    this.#all = byFingerprint(all);
    return ca.fingerprint;
  }

  /** Deletes one. Resolves when it is not on the disk any more. */
  async remove(fingerprint: string): Promise<void> {
    const all = [...this.#all.values()].filter((ca) => ca.fingerprint !== fingerprint);
    await this.#writeCertificates(all);
    await this.#writeKeys(all);
    this.#all = byFingerprint(all);
    for (const listener of this.#listeners) listener();
  }

  certificateFor(sha256: Uint8Array): Uint8Array {
    const fingerprint = Buffer.from(sha256).toString('hex');
    const { serving } = this.#now;
    return this.get(this.trusts(fingerprint) ? fingerprint : serving).certificate;
  }

  caCertificates(): readonly string[] {
    return this.trusted.map(({ certificatePem }) => certificatePem);
  }

  checkRequest(csr: Uint8Array): string {
    return publicKeySha256(checkRequest(csr));
  }

  issueDevice(csr: Uint8Array, deviceId: string): Promise<IssuedCertificate> {
    return this.issuing.issueDevice(csr, deviceId);
  }

  readDevice(certificate: Uint8Array): ShownDevice | undefined {
    for (const ca of this.trusted) {
      const shown = ca.readDevice(certificate);
      if (shown) return shown;
    }
    return undefined;
  }

  trusts(issuer: string): boolean {
    return this.#now.trusted.includes(issuer);
  }

  get #now(): Standing {
    if (this.#standing) return this.#standing;
    throw new Error('What the CAs are used for has not been said');
  }

  #writeKeys(all: readonly CertificateAuthority[]): Promise<void> {
    const pems = all.map(({ privateKey }) => privateKeyToPem(privateKey).reveal());
    return this.#options.files.write(keyFile, new Secret(pems.join('')));
  }

  #writeCertificates(all: readonly CertificateAuthority[]): Promise<void> {
    const pems = all.map(({ certificatePem }) => certificatePem);
    return writePrivateFile(join(this.#options.directory, certificateFile), pems.join(''));
  }
}

function lifetimes({ deviceLifetimeMs, serverLifetimeMs }: DaemonConfig['certificates']) {
  return { deviceMs: deviceLifetimeMs, serverMs: serverLifetimeMs };
}

function byFingerprint(all: readonly CertificateAuthority[]): ReadonlyMap<string, CertificateAuthority> {
  return new Map(all.map((ca) => [ca.fingerprint, ca]));
}

/** Pairs each certificate with its key. A key without a certificate was written and never used. */
function readAll(
  { directory, clock, certificates }: AuthorityOptions,
  keys: Secret<Buffer> | undefined,
  certificatePems: string,
): readonly CertificateAuthority[] {
  const privateKeys = pemBlocks(keys?.reveal().toString('utf8') ?? '').map((pem) =>
    privateKeyFromPem(new Secret(pem)),
  );
  return pemBlocks(certificatePems).map((certificatePem) => {
    const certificate: X509Certificate = parseCertificate(certificatePem);
    const privateKey = privateKeys.find((key) => createPublicKey(key).equals(certificate.publicKey));
    if (!privateKey) {
      throw pkiError('invalid_key', `The key of the CA is missing: ${join(directory, keyFile)}`, {
        hint: 'Restore a backup: palyra restore FILE --force. A new CA would lock every paired node out.',
      });
    }
    return loadCa({ clock, ...lifetimes(certificates), certificatePem, privateKey });
  });
}
