import type { KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';
import type { IssuedCertificate, ShownDevice } from '../../actors/authority/device-authority.js';
import { isDeviceId } from '../../actors/identity/device-id.js';
import { parseNetworkAddress } from '../../actors/identity/network-address.js';
import type { Clock } from '../../kernel/clock.js';
import { checkRequest } from './csr.js';
import { type ForgeExtension, keyIdentifierOf, signCertificate } from './forge-signer.js';
import { fingerprintOf, inspectCertificate, parseCertificate } from './inspect-certificate.js';
import { freshKeys, type KeySource, publicKeySha256 } from './keys.js';
import { pkiError } from './pki-errors.js';
import { caIdOf, daemonUri, deviceUri } from './uri-names.js';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/**
 * How far certificates are back-dated: a node whose clock is a day behind still accepts the daemon, and the daemon's own
 * clock may be set back a little (protocol.md 15). Less where they live for less than that.
 */
const daemonBackdateMs = dayMs;
const deviceBackdateMs = 5 * minuteMs;

/** The kinds of names in a certificate (RFC 5280 section 4.2.1.6). */
const dnsName = 2;
const uriName = 6;
const ipName = 7;

export interface CaLifetimes {
  /** Milliseconds. Default: 24 hours. */
  readonly deviceMs?: number;
  /** Milliseconds. Default: 30 days. */
  readonly serverMs?: number;
}

export interface CreateCaOptions extends CaLifetimes {
  readonly clock: Clock;
  /** Milliseconds. Default: 3,650 days. */
  readonly lifetimeMs?: number;
  readonly keys?: KeySource;
}

export interface LoadCaOptions extends CaLifetimes {
  readonly clock: Clock;
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
}

/**
 * Makes a new CA: an RSA-3072 key and its own certificate, valid from a day ago (from its lifetime ago, if that is less).
 *
 * @example
 * const ca = await createCa({ clock: systemClock });
 * const server = await ca.issueServer({ publicKey, hosts: ['localhost', '127.0.0.1'] });
 */
export async function createCa(options: CreateCaOptions): Promise<CertificateAuthority> {
  const { publicKey, privateKey } = await (options.keys ?? freshKeys).rsa(3072);
  const now = options.clock.now();
  const lifetimeMs = options.lifetimeMs ?? 3650 * dayMs;
  const name = [
    { name: 'organizationName', value: 'Palyra' },
    { name: 'commonName', value: 'Palyra CA' },
  ];
  const der = await signCertificate(
    {
      publicKey,
      subject: name,
      issuer: name,
      notBefore: now - Math.min(daemonBackdateMs, lifetimeMs),
      notAfter: now + lifetimeMs,
      extensions: [
        { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
        { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
        { name: 'subjectKeyIdentifier' },
      ],
    },
    privateKey,
  );
  return loadCa({ ...options, certificatePem: pemOf(der), privateKey });
}

/**
 * Takes up a CA from its certificate and key.
 *
 * @throws AppError `pki.invalid_certificate` when it is no CA certificate, `pki.invalid_key` when the key is another's.
 */
export function loadCa(options: LoadCaOptions): CertificateAuthority {
  const certificate = parseCertificate(options.certificatePem);
  if (!certificate.ca) {
    throw pkiError('invalid_certificate', 'The certificate of the CA is not one of a CA', {
      hint: 'Restore the CA certificate and its key together from a backup.',
    });
  }
  if (!certificate.checkPrivateKey(options.privateKey)) {
    throw pkiError('invalid_key', 'The private key is not that of the CA certificate', {
      hint: 'Restore the CA certificate and its key together from a backup.',
    });
  }
  return new CertificateAuthority(certificate, options);
}

export interface ServerRequest {
  /** RSA. */
  readonly publicKey: KeyObject;
  /** DNS names and IP addresses, for other clients; nodes check the daemon's URI instead. */
  readonly hosts: readonly string[];
}

/** The daemon's certificate authority. What it issues is named by a URI and good for one purpose. */
export class CertificateAuthority {
  /** SHA-256 of the CA's public key, hex: the name of this daemon. Stays when the certificate is renewed with its key. */
  readonly caId: string;
  readonly certificatePem: string;
  /** The certificate, DER. */
  readonly certificate: Buffer;
  /** SHA-256 of the certificate, hex: what a join string pins. */
  readonly fingerprint: string;
  readonly privateKey: KeyObject;
  /** When it is in force. Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** How long its server certificates are valid, milliseconds. */
  readonly serverMs: number;
  readonly #own: X509Certificate;
  readonly #clock: Clock;
  readonly #name: readonly forge.pki.CertificateField[];
  readonly #keyIdentifier: string;
  readonly #deviceMs: number;
  /** Certificates are made one by one: each takes 1 ms of the event loop, and a fleet may ask for its next ones at once. */
  #last: Promise<unknown> = Promise.resolve();

  /** Use {@link createCa} or {@link loadCa}, which check that certificate and key belong together. */
  constructor(certificate: X509Certificate, options: LoadCaOptions) {
    this.caId = caIdOf(certificate.publicKey);
    this.#own = certificate;
    this.certificatePem = pemOf(certificate.raw);
    this.certificate = certificate.raw;
    this.fingerprint = fingerprintOf(certificate.raw);
    this.privateKey = options.privateKey;
    this.notBefore = Date.parse(certificate.validFrom);
    this.notAfter = Date.parse(certificate.validTo);
    this.#clock = options.clock;
    this.#name = forge.pki.certificateFromPem(this.certificatePem).subject.attributes;
    this.#keyIdentifier = keyIdentifierOf(certificate.publicKey);
    this.#deviceMs = options.deviceMs ?? dayMs;
    this.serverMs = options.serverMs ?? 30 * dayMs;
  }

  /**
   * Issues the certificate of a device. Of the request only the key is used: name, purpose and time are the daemon's.
   *
   * @throws AppError `pki.invalid_request` when the request is malformed, weak or not signed by its own key. RangeError when `deviceId` is not one.
   */
  async issueDevice(request: Uint8Array, deviceId: string): Promise<IssuedCertificate> {
    if (!isDeviceId(deviceId))
      throw new RangeError('A device certificate needs a device id in its canonical form');
    const backdateMs = Math.min(deviceBackdateMs, this.#deviceMs / 4);
    return this.#inTurn(() =>
      this.#issue(checkRequest(request), deviceId, backdateMs, this.#deviceMs, [
        { name: 'extKeyUsage', clientAuth: true },
        { name: 'subjectAltName', altNames: [{ type: uriName, value: deviceUri(deviceId) }] },
      ]),
    );
  }

  /** Whether a certificate is signed by this CA's key. Its time is not looked at. */
  hasIssued(certificate: X509Certificate): boolean {
    return certificate.checkIssued(this.#own) && certificate.verify(this.#own.publicKey);
  }

  /** Reads a device certificate of this CA. Undefined when it is none. @param certificate DER */
  readDevice(certificate: Uint8Array): ShownDevice | undefined {
    const parsed = tryParse(certificate);
    if (!parsed || !this.hasIssued(parsed)) return undefined;
    const { deviceId, fingerprint, notBefore, notAfter } = inspectCertificate(parsed);
    return deviceId === undefined ? undefined : { deviceId, fingerprint, notBefore, notAfter };
  }

  /**
   * Issues the certificate with which this daemon serves.
   *
   * @throws AppError `pki.invalid_host` when a host is neither a DNS name nor an IP address.
   */
  async issueServer(request: ServerRequest): Promise<IssuedCertificate> {
    const hosts = request.hosts.map(altNameOf);
    const backdateMs = Math.min(daemonBackdateMs, this.serverMs);
    return this.#inTurn(() =>
      this.#issue(request.publicKey, 'palyrad', backdateMs, this.serverMs, [
        { name: 'extKeyUsage', serverAuth: true },
        { name: 'subjectAltName', altNames: [{ type: uriName, value: daemonUri(this.caId) }, ...hosts] },
      ]),
    );
  }

  /** When the certificates before it are made. The signature in between is a turn of the event loop for everything else. */
  #inTurn<T>(make: () => Promise<T>): Promise<T> {
    const made = this.#last.then(make);
    this.#last = made.catch(() => undefined);
    return made;
  }

  async #issue(
    publicKey: KeyObject,
    commonName: string,
    backdateMs: number,
    lifetimeMs: number,
    extensions: readonly ForgeExtension[],
  ): Promise<IssuedCertificate> {
    const now = this.#clock.now();
    const der = await signCertificate(
      {
        publicKey,
        subject: [{ name: 'commonName', value: commonName }],
        issuer: this.#name,
        notBefore: now - backdateMs,
        notAfter: Math.min(now + lifetimeMs, this.notAfter),
        extensions: [
          { name: 'basicConstraints', critical: true, cA: false },
          { name: 'keyUsage', critical: true, digitalSignature: true },
          { name: 'subjectKeyIdentifier' },
          { name: 'authorityKeyIdentifier', keyIdentifier: this.#keyIdentifier },
          ...extensions,
        ],
      },
      this.privateKey,
    );
    const { fingerprint, serial, notBefore, notAfter } = inspectCertificate(der);
    const keySha256 = publicKeySha256(publicKey);
    return {
      pem: pemOf(der),
      fingerprint,
      issuer: this.fingerprint,
      keySha256,
      serial,
      notBefore,
      notAfter,
    };
  }
}

/** A certificate that a peer sent; undefined when it is none. */
function tryParse(der: Uint8Array): X509Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch {
    return undefined;
  }
}

function altNameOf(host: string): { type: number; value: string } | { type: number; ip: string } {
  if (isIP(host) !== 0) return { type: ipName, ip: host };
  if (parseNetworkAddress(`${host}:1`) === undefined) {
    throw pkiError('invalid_host', `'${host}' is neither a DNS name nor an IP address`, {
      hint: 'Name hosts without port and brackets, such as daemon.example or 2001:db8::1.',
      fields: [{ field: 'hosts', message: `'${host}' is neither a DNS name nor an IP address` }],
    });
  }
  return { type: dnsName, value: host };
}

/** DER as PEM (RFC 7468). */
export function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
