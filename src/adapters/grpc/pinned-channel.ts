import { createHash, type KeyObject, timingSafeEqual } from 'node:crypto';
import {
  connect,
  createSecureContext,
  type DetailedPeerCertificate,
  type PeerCertificate,
  type TLSSocket,
} from 'node:tls';
import { ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { parseNetworkAddress } from '../../actors/identity/network-address.js';
import { type Clock, systemClock } from '../../kernel/clock.js';
import { type AppError, errorTable } from '../../kernel/errors.js';
import { fingerprintOf, inspectCertificate, parseCertificate } from '../pki/inspect-certificate.js';
import { caIdOf } from '../pki/uri-names.js';
import { caServerName } from './ca-name.js';

/** Makes the errors of finding the right daemon. */
export const enrolmentError = errorTable('enrolment', {
  ca_mismatch: { category: 'policy', retryable: false },
  invalid_address: { category: 'validation', retryable: false },
  unreachable: { category: 'unavailable', retryable: true },
  no_answer: { category: 'timeout', retryable: true },
  not_a_daemon: { category: 'precondition', retryable: false },
});

export interface FetchCaOptions {
  /** `host:port` or `[v6]:port` of the enrolment port. */
  readonly address: string;
  /** Milliseconds for everything. */
  readonly timeoutMs: number;
  readonly clock?: Clock;
}

export interface FetchPinnedCaOptions extends FetchCaOptions {
  /** SHA-256 of the DER of the CA certificate, 32 bytes. */
  readonly caSha256: Uint8Array;
}

/** The CA of a daemon: known to be the pinned one, or what was shown and is yet to be proven. */
export interface PinnedCa {
  readonly caPem: string;
  /** Names the daemon: its server certificates carry `palyra://daemon/<caId>`. */
  readonly caId: string;
  /** DER. */
  readonly certificate: Buffer;
}

const maxChain = 8;

/**
 * Fetches the CA certificate whose hash is pinned, on a connection that is used for nothing else (protocol.md 7). The
 * peer is not trusted: a man in the middle can send the genuine CA certificate too, and gains nothing by it, because
 * {@link pinnedCredentials} then verifies every later connection against that CA alone.
 *
 * @throws AppError `enrolment.ca_mismatch` when the daemon's chain holds no certificate with that hash,
 *   `enrolment.unreachable`, `enrolment.no_answer`, `enrolment.not_a_daemon`, `enrolment.invalid_address`.
 * @example
 * const { caPem } = await fetchPinnedCa({ address, caSha256, timeoutMs: 10_000 });
 * const credentials = pinnedCredentials({ caCertificates: [caPem] });
 * const client = new EnrollmentClient(address, credentials, pinnedChannelOptions);
 */
export async function fetchPinnedCa(options: FetchPinnedCaOptions): Promise<PinnedCa> {
  const { address, caSha256 } = options;
  const servername = caServerName(Buffer.from(caSha256).toString('hex'));
  const chain = await fetchUnverifiedChain({ ...options, servername });
  const pinned = chain.find((der) => {
    const hash = createHash('sha256').update(der).digest();
    return hash.length === caSha256.length && timingSafeEqual(hash, caSha256);
  });
  if (pinned === undefined) throw mismatch(address, caSha256, chain);
  const ca = parseCertificate(pinned);
  if (!ca.ca) {
    throw enrolmentError('not_a_daemon', `The certificate that is pinned for ${address} is not one of a CA`, {
      hint: 'Ask the operator for a new join string: `palyra pair`.',
    });
  }
  return { caPem: ca.toString(), caId: caIdOf(ca.publicKey), certificate: pinned };
}

/**
 * Fetches the CA certificate that a server shows, on a connection that is used for nothing else. It proves nothing: for
 * pairing by PIN, which proves it in the exchange that follows over {@link pinnedCredentials} of that CA.
 *
 * @throws AppError `enrolment.not_a_daemon` when no CA certificate is shown, and the others of {@link fetchPinnedCa}.
 */
export async function fetchShownCa(options: FetchCaOptions): Promise<PinnedCa> {
  for (const certificate of await fetchUnverifiedChain(options)) {
    const ca = parseCertificate(certificate);
    if (ca.ca) return { caPem: ca.toString(), caId: caIdOf(ca.publicKey), certificate };
  }
  throw enrolmentError('not_a_daemon', `${options.address} shows no certificate of a CA`, {
    hint: 'Check that this is the enrolment port of the daemon.',
  });
}

export interface PinnedCredentialsOptions {
  /** The only roots, in PEM: one CA certificate, or during a rotation several. */
  readonly caCertificates: readonly string[];
  /** The device's own certificate and key, for the node port. */
  readonly clientCert?: { readonly certificatePem: string; readonly privateKey: KeyObject };
}

/**
 * Channel options that belong to {@link pinnedCredentials}. The name is sent as SNI and means nothing; without it grpc-js
 * would send the host, and an IP address is not allowed there (RFC 6066 section 3).
 */
export const pinnedChannelOptions: ChannelOptions = {
  'grpc.ssl_target_name_override': 'daemon.palyra.invalid',
};

/** {@link pinnedChannelOptions} that say which CA is known, the first of those given, so that the daemon proves itself by it. */
export function channelOptionsFor(caCertificates: readonly string[]): Record<string, string> {
  const [newest = ''] = caCertificates;
  const name = caServerName(fingerprintOf(parseCertificate(newest).raw));
  return { 'grpc.ssl_target_name_override': name };
}

/**
 * Credentials that trust one daemon and its CA alone: chain, time and key are verified as usual, and instead of the host name
 * the server's certificate must name `palyra://daemon/<CA id>` of one of those CAs and be for servers only (protocol.md 8).
 */
export function pinnedCredentials(options: PinnedCredentialsOptions): ChannelCredentials {
  const { caCertificates, clientCert } = options;
  const caIds = caCertificates.map((pem) => caIdOf(parseCertificate(pem).publicKey));
  const context = createSecureContext({
    ca: [...caCertificates],
    minVersion: 'TLSv1.3',
    ...(clientCert === undefined
      ? {}
      : {
          cert: clientCert.certificatePem,
          key: clientCert.privateKey.export({ format: 'pem', type: 'pkcs8' }),
        }),
  });
  return ChannelCredentials.createFromSecureContext(context, {
    checkServerIdentity: (_host, certificate) => checkDaemon(certificate, caIds),
  });
}

function checkDaemon(certificate: PeerCertificate, caIds: readonly string[]): Error | undefined {
  const { daemonCaId } = inspectCertificate(certificate.raw);
  if (daemonCaId !== undefined && caIds.includes(daemonCaId)) return undefined;
  return enrolmentError(
    'not_a_daemon',
    `The server's certificate does not name the daemon ${caIds.map(shortHash).join(' or ')}`,
    {
      hint: 'Another service with a certificate of this CA answers at this address.',
    },
  );
}

/** The certificates that a server shows, leaf first, DER. The one place that talks to a server it has not verified. */
function fetchUnverifiedChain(options: FetchCaOptions & { readonly servername?: string }): Promise<Buffer[]> {
  const { address, timeoutMs, servername, clock = systemClock } = options;
  const target = parseNetworkAddress(address);
  if (target === undefined) {
    throw enrolmentError('invalid_address', `'${address}' is not an address`, {
      hint: 'Write host:port or [IPv6 address]:port.',
      fields: [{ field: 'address', message: 'must be host:port or [IPv6 address]:port' }],
    });
  }
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...target,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
      ...(servername === undefined ? {} : { servername }),
    });
    const timer = clock.setTimeout(() => finish(() => reject(noAnswer(address, timeoutMs))), timeoutMs);
    let connected = false;
    const finish = (settle: () => void) => {
      clock.clearTimeout(timer);
      socket.destroy();
      settle();
    };
    socket.once('connect', () => {
      connected = true;
    });
    socket.once('secureConnect', () => {
      const chain = presentedChain(socket);
      finish(() => resolve(chain));
    });
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      finish(() => reject(connected ? notADaemon(address, cause) : unreachable(address, cause)));
    });
  });
}

function presentedChain(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && chain.length < maxChain) {
    chain.push(certificate.raw);
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}

function mismatch(address: string, caSha256: Uint8Array, chain: readonly Buffer[]): AppError {
  const shown = chain.at(-1);
  const found = shown === undefined ? 'none' : shortHash(createHash('sha256').update(shown).digest('hex'));
  const expected = shortHash(Buffer.from(caSha256).toString('hex'));
  return enrolmentError('ca_mismatch', `${address} shows the CA ${found}, but the CA ${expected} is pinned`, {
    hint: 'Someone may be in between, or the daemon was set up anew. Compare the CA fingerprint with the operator, and ask for a new join string: `palyra pair`.',
    details: { expected, found },
  });
}

function unreachable(address: string, cause: NodeJS.ErrnoException): AppError {
  return enrolmentError('unreachable', `Can't reach ${address}: ${cause.code ?? cause.message}`, {
    hint: 'Check that the daemon runs and that its enrolment port is reachable from here.',
    cause,
  });
}

function noAnswer(address: string, timeoutMs: number): AppError {
  return enrolmentError('no_answer', `${address} did not answer within ${timeoutMs} ms`, {
    hint: 'Check that the daemon runs and that its enrolment port is reachable from here.',
  });
}

function notADaemon(address: string, cause: NodeJS.ErrnoException): AppError {
  return enrolmentError('not_a_daemon', `${address} does not speak TLS 1.3: ${cause.code ?? cause.message}`, {
    hint: 'Check that this is the enrolment port of the daemon, and try again if it was busy.',
    cause,
  });
}

function shortHash(hex: string): string {
  return `${hex.slice(0, 12)}…`;
}
