import type { KeyObject } from 'node:crypto';
import type { ServerCertificatePorts } from '../actors/authority/server-certificate.js';
import type { CertificateAuthority } from '../adapters/pki/certificate-authority.js';
import { inspectCertificate } from '../adapters/pki/inspect-certificate.js';
import { freshKeys, privateKeyFromPem, privateKeyToPem } from '../adapters/pki/keys.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import type { Kernel } from '../kernel/kernel.js';
import { Secret } from '../kernel/secret.js';
import type { Authorities, AuthorityOptions } from './authorities.js';
import type { DaemonConfig } from './config/daemon-config.js';

/** The daemon's key and certificate for both gRPC ports, of one of its CAs. Times are milliseconds since the epoch. */
export interface ServerIdentity {
  readonly ca: CertificateAuthority;
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
  readonly notAfter: number;
}

/** Certificates and keys in one file, so that they can't be of two times. */
const serverFile = 'server.json';

interface StoredIdentity {
  /** SHA-256 of the CA certificate, hex. */
  readonly ca: string;
  readonly hosts: readonly string[];
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** The certificates with which the daemon serves its gRPC ports, one of each of its CAs: kept on disk, and renewed while it runs. */
export class ServerCertificates {
  readonly #authorities: Authorities;
  readonly #hosts: readonly string[];
  readonly #options: AuthorityOptions;
  readonly #listeners = new Set<() => void>();
  /** By the fingerprint of the CA. */
  #identities = new Map<string, ServerIdentity>();
  #last: Promise<void> = Promise.resolve();

  private constructor(authorities: Authorities, hosts: readonly string[], options: AuthorityOptions) {
    this.#authorities = authorities;
    this.#hosts = hosts;
    this.#options = options;
  }

  /** Takes up those on disk that are of these CAs, name the hosts and aren't due; issues the others with fresh keys. */
  static async open(
    authorities: Authorities,
    config: DaemonConfig,
    options: AuthorityOptions,
  ): Promise<ServerCertificates> {
    const certificates = new ServerCertificates(authorities, certificateHosts(config), options);
    await certificates.#read();
    await certificates.renew();
    return certificates;
  }

  /** What is served. The first is for whoever does not say which CA they know. */
  get current(): readonly [ServerIdentity, ...ServerIdentity[]] {
    const [first, ...others] = this.#authorities.serving.flatMap(
      (ca) => this.#identities.get(ca.fingerprint) ?? [],
    );
    if (first) return [first, ...others];
    throw new Error('No server certificate has been issued');
  }

  /** Calls back with each change. */
  onRenewed(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Issues those that are missing or due, and writes all of them to disk before they are served. One such call at a time. */
  renew(): Promise<void> {
    this.#last = this.#last.catch(() => undefined).then(() => this.#renewDue());
    return this.#last;
  }

  /** When the first of them is to be renewed, milliseconds since the epoch; infinite when that would gain nothing. */
  renewalDue(): number {
    return Math.min(...this.#authorities.serving.map((ca) => this.#dueOf(ca)));
  }

  /** What the actor that renews them works with. */
  ports({ deadlines, clock, random, log }: Kernel): ServerCertificatePorts {
    return {
      deadlines,
      clock,
      backoff: jitteredBackoff({ firstMs: 1_000, baseMs: 2_000, maxMs: 600_000, random }),
      renewalDue: () => this.renewalDue(),
      renew: () => this.renew(),
      failed: (err, retryInMs) =>
        log.error(
          { err, retryInMs },
          'The server certificate could not be renewed; the old one stays in use',
        ),
    };
  }

  async #renewDue(): Promise<void> {
    const { clock, log } = this.#options;
    const due = this.#authorities.serving.filter((ca) => this.#dueOf(ca) <= clock.now());
    if (due.length === 0) return;
    const next = new Map(this.#identities);
    for (const ca of due) next.set(ca.fingerprint, await this.#issue(ca));
    await this.#write(next);
    this.#identities = next;
    for (const ca of due) {
      const notAfter = new Date(next.get(ca.fingerprint)?.notAfter ?? 0).toISOString();
      log.info({ notAfter, caFingerprint: ca.fingerprint }, 'Issued a server certificate');
    }
    for (const listener of this.#listeners) listener();
  }

  /** When two thirds of its life are over. By its end, since its beginning is back-dated by as much as a day. */
  #dueOf(ca: CertificateAuthority): number {
    const identity = this.#identities.get(ca.fingerprint);
    if (identity === undefined) return 0;
    // What ends with its CA can't be had for longer.
    return identity.notAfter >= ca.notAfter ? Number.POSITIVE_INFINITY : identity.notAfter - ca.serverMs / 3;
  }

  async #read(): Promise<void> {
    const { files, clock } = this.#options;
    const kept = await files.read(serverFile);
    const stored: unknown = kept && JSON.parse(kept.reveal().toString('utf8'));
    // What can't be used is issued anew.
    for (const one of Array.isArray(stored) ? (stored as readonly StoredIdentity[]) : []) {
      const ca = this.#authorities.serving.find(({ fingerprint }) => fingerprint === one.ca);
      if (!ca || one.hosts.join() !== this.#hosts.join()) continue;
      const { notAfter } = inspectCertificate(one.certificatePem);
      // One from before a shorter lifetime was configured is replaced as well.
      if (notAfter - clock.now() > ca.serverMs) continue;
      const privateKey = privateKeyFromPem(new Secret(one.privateKeyPem));
      const { certificatePem } = one;
      this.#identities.set(ca.fingerprint, { ca, certificatePem, privateKey, notAfter });
    }
  }

  async #issue(ca: CertificateAuthority): Promise<ServerIdentity> {
    const { publicKey, privateKey } = await (this.#options.keys ?? freshKeys).rsa(2048);
    const { pem, notAfter } = await ca.issueServer({ publicKey, hosts: this.#hosts });
    return { ca, certificatePem: pem, privateKey, notAfter };
  }

  #write(identities: ReadonlyMap<string, ServerIdentity>): Promise<void> {
    const known = new Set(this.#authorities.fingerprints);
    const all: StoredIdentity[] = [...identities.values()]
      .filter(({ ca }) => known.has(ca.fingerprint))
      .map(({ ca, certificatePem, privateKey }) => ({
        ca: ca.fingerprint,
        hosts: this.#hosts,
        certificatePem,
        privateKeyPem: privateKeyToPem(privateKey).reveal(),
      }));
    return this.#options.files.write(serverFile, new Secret(JSON.stringify(all)));
  }
}

/** The host names of the certificate, for clients that check those; nodes check the daemon's URI. */
function certificateHosts({ listen }: DaemonConfig): readonly string[] {
  const advertisedHosts = [...listen.enrollment.advertise, ...listen.node.advertise].map((address) =>
    new URL(`tcp://${address}`).hostname.replace(/^\[|\]$/g, ''),
  );
  return [...new Set(['localhost', '127.0.0.1', '::1', ...advertisedHosts])];
}
