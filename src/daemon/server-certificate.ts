import type { KeyObject } from 'node:crypto';
import type { ServerCertificatePorts } from '../actors/authority/server-certificate.js';
import type { CertificateAuthority } from '../adapters/pki/certificate-authority.js';
import { inspectCertificate } from '../adapters/pki/inspect-certificate.js';
import { freshKeys, privateKeyFromPem, privateKeyToPem } from '../adapters/pki/keys.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import type { Kernel } from '../kernel/kernel.js';
import { Secret } from '../kernel/secret.js';
import type { AuthorityOptions } from './authority.js';
import type { DaemonConfig } from './config/daemon-config.js';

/** The daemon's key and certificate for both gRPC ports. Times are milliseconds since the epoch. */
export interface ServerIdentity {
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
  readonly notAfter: number;
}

/** Certificate and key in one file, so that they can't be of two times. */
const serverFile = 'server.json';

interface StoredIdentity {
  readonly caId: string;
  readonly hosts: readonly string[];
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** The certificate with which the daemon serves its gRPC ports: kept on disk, and renewed while it runs. */
export class ServerCertificate {
  readonly #ca: CertificateAuthority;
  readonly #hosts: readonly string[];
  readonly #options: AuthorityOptions;
  readonly #listeners = new Set<(identity: ServerIdentity) => void>();
  #current: ServerIdentity;

  private constructor(
    ca: CertificateAuthority,
    hosts: readonly string[],
    options: AuthorityOptions,
    current: ServerIdentity,
  ) {
    this.#ca = ca;
    this.#hosts = hosts;
    this.#options = options;
    this.#current = current;
  }

  /** Takes up the one on disk when it is of this CA, names the hosts and isn't due; else issues one with a fresh key. */
  static async open(
    ca: CertificateAuthority,
    config: DaemonConfig,
    options: AuthorityOptions,
  ): Promise<ServerCertificate> {
    const hosts = certificateHosts(config);
    const kept = await readKept(ca, hosts, options);
    return new ServerCertificate(ca, hosts, options, kept ?? (await issue(ca, hosts, options)));
  }

  get current(): ServerIdentity {
    return this.#current;
  }

  /** Calls back with each later certificate. */
  onRenewed(listener: (identity: ServerIdentity) => void): void {
    this.#listeners.add(listener);
  }

  /** What the actor that renews it works with. */
  ports({ deadlines, clock, random, log }: Kernel): ServerCertificatePorts {
    return {
      deadlines,
      clock,
      backoff: jitteredBackoff({ firstMs: 1_000, baseMs: 2_000, maxMs: 600_000, random }),
      renewalDue: () => renewalDue(this.#current, this.#ca),
      renew: async () => {
        this.#current = await issue(this.#ca, this.#hosts, this.#options);
        for (const listener of this.#listeners) listener(this.#current);
      },
      failed: (err, retryInMs) =>
        log.error(
          { err, retryInMs },
          'The server certificate could not be renewed; the old one stays in use',
        ),
    };
  }
}

/** When two thirds of its life are over. By its end, since its beginning is back-dated by as much as a day. */
function renewalDue({ notAfter }: { readonly notAfter: number }, { serverMs }: CertificateAuthority): number {
  return notAfter - serverMs / 3;
}

async function readKept(
  ca: CertificateAuthority,
  hosts: readonly string[],
  { files, clock }: AuthorityOptions,
): Promise<ServerIdentity | undefined> {
  const kept = await files.read(serverFile);
  if (!kept) return undefined;
  const stored = JSON.parse(kept.reveal().toString('utf8')) as StoredIdentity;
  if (stored.caId !== ca.caId || stored.hosts.join() !== hosts.join()) return undefined;
  const { notAfter } = inspectCertificate(stored.certificatePem);
  // One from before a shorter lifetime was configured is replaced as well.
  const left = notAfter - clock.now();
  if (left > ca.serverMs || left <= ca.serverMs / 3) return undefined;
  const privateKey = privateKeyFromPem(new Secret(stored.privateKeyPem));
  return { certificatePem: stored.certificatePem, privateKey, notAfter };
}

async function issue(
  ca: CertificateAuthority,
  hosts: readonly string[],
  { files, log }: AuthorityOptions,
): Promise<ServerIdentity> {
  const { publicKey, privateKey } = await freshKeys.rsa(2048);
  const { pem, notAfter } = await ca.issueServer({ publicKey, hosts });
  const next: StoredIdentity = {
    caId: ca.caId,
    hosts,
    certificatePem: pem,
    privateKeyPem: privateKeyToPem(privateKey).reveal(),
  };
  await files.write(serverFile, new Secret(JSON.stringify(next)));
  log.info({ notAfter: new Date(notAfter).toISOString() }, 'Issued a server certificate');
  return { certificatePem: pem, privateKey, notAfter };
}

/** The host names of the certificate, for clients that check those; nodes check the daemon's URI. */
function certificateHosts({ listen }: DaemonConfig): readonly string[] {
  const advertisedHosts = [...listen.enrollment.advertise, ...listen.node.advertise].map((address) =>
    new URL(`tcp://${address}`).hostname.replace(/^\[|\]$/g, ''),
  );
  return [...new Set(['localhost', '127.0.0.1', '::1', ...advertisedHosts])];
}
