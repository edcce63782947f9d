import { constants, type KeyObject } from 'node:crypto';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  createSecureContext,
  createServer as createTlsServer,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import { type Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import type { DeviceId } from '../../actors/identity/device-id.js';
import { type Clock, systemClock } from '../../kernel/clock.js';
import { fingerprintOf, inspectCertificate, parseCertificate } from '../pki/inspect-certificate.js';
import { caServerName } from './ca-name.js';
import type { Admission, ConnectionBudget } from './connection-budget.js';
import { budgetKeyOf, plainAddress } from './peer-address.js';
import { listenerError, type Refusal, type RefusalReason, refusalReason } from './refusal.js';

/** With what a port serves. */
export interface ServingIdentity {
  /** The server certificate. */
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
  /** The CA that issued it. It is sent along: a node that pins the CA's hash finds it in the chain (protocol.md 7). */
  readonly caPem: string;
  /** The CAs whose device certificates are accepted. Present: a certificate is mandatory. Absent: none is asked for. */
  readonly clientCaPems?: readonly string[];
}

/** What is known of the peer of a connection, from its handshake. */
export interface PeerFacts {
  /** The peer's IP address. */
  readonly address: string;
  /** The device that its verified certificate names. Always there on a port that asks for certificates. */
  readonly deviceId?: DeviceId;
  /** SHA-256 of the certificate's DER, hex. */
  readonly fingerprint?: string;
  /** Until when the certificate is valid, milliseconds since the epoch. */
  readonly notAfter?: number;
}

/** The facts of a peer that proved to be a device. */
export type DevicePeer = Required<PeerFacts>;

export interface GrpcListenerOptions {
  /** Has the services; the listener gives it the connections. */
  readonly server: Server;
  /** With what it serves whoever does not say which CA they know. */
  readonly identity: ServingIdentity;
  /** With what it serves those who say that they know the CA of one of these, see {@link caServerName}. */
  readonly others?: readonly ServingIdentity[];
  readonly budget: ConnectionBudget;
  /** Milliseconds for a TLS handshake. Default: 5,000. */
  readonly handshakeTimeoutMs?: number;
  /** Open connections at most. Default: 20,000. */
  readonly maxConnections?: number;
  /** Open connections of one IPv4 address or IPv6 /64 at most. Default: as many as in all. */
  readonly maxConnectionsPerAddress?: number;
  /** Open connections of one device at most; one more is refused, so that a copy of a node ends nobody's. */
  readonly maxConnectionsPerDevice?: number;
  /** Told of every connection that did not become a session. It may be called often: fold before logging. */
  onRefused?(refusal: Refusal): void;
  readonly clock?: Clock;
}

/** The parts of a server call that name its connection. */
export type PeerCall = Pick<ServerUnaryCall<unknown, unknown>, 'getPeer' | 'getAuthContext'>;

interface Handshake {
  readonly address: string;
  readonly admission: Extract<Admission, { admitted: true }>;
}

/** Handshakes begun in one turn of the event loop: at 0.6 ms each they hold up the sessions for 10 ms at most. */
const startsPerTurn = 16;

/**
 * How a gRPC port accepts: socket, budget, TLS 1.3, and only then gRPC (protocol.md 11). Terminating TLS here rather than
 * in grpc-js gives limits before work, reasons for refusals, certificates that change while running, and verified facts
 * about each peer.
 *
 * @example
 * const listener = new GrpcListener({ server, identity, budget: new ConnectionBudget(systemClock) });
 * const { port } = await listener.listen('127.0.0.1', 0);
 */
export class GrpcListener {
  readonly #options: GrpcListenerOptions;
  readonly #clock: Clock;
  readonly #net: NetServer;
  readonly #tls: TlsServer;
  readonly #injector: ReturnType<Server['createConnectionInjector']>;
  readonly #sockets = new Set<Socket>();
  /** How many of them there are by address or network. */
  readonly #perAddress = new Map<string, number>();
  readonly #waiting: Socket[] = [];
  readonly #handshakes = new WeakMap<object, Handshake>();
  /** By the object that gRPC hands out as the peer's certificate; there is one for each connection. */
  readonly #facts = new WeakMap<object, DevicePeer>();
  readonly #byDevice = new Map<string, Set<TLSSocket>>();
  /** By the name that a peer sends for the CA that it knows. */
  #contexts: ReadonlyMap<string, SecureContext>;

  constructor(options: GrpcListenerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#contexts = contextsOf([options.identity, ...(options.others ?? [])]);
    this.#injector = options.server.createConnectionInjector(ServerCredentials.createInsecure());
    const mandatory = options.identity.clientCaPems !== undefined;
    this.#tls = createTlsServer({
      ...contextOptions(options.identity),
      ALPNProtocols: ['h2'],
      handshakeTimeout: options.handshakeTimeoutMs ?? 5000,
      requestCert: mandatory,
      rejectUnauthorized: true,
      SNICallback: (name, done) => done(null, this.#contexts.get(name)),
    });
    this.#tls.on('secureConnection', (socket) => this.#secured(socket));
    this.#tls.on('tlsClientError', (error, socket) => this.#failed(error, socket));
    this.#net = createServer({ pauseOnConnect: true, noDelay: true });
    this.#net.maxConnections = options.maxConnections ?? 20_000;
    this.#net.on('connection', (socket) => this.#accept(socket));
    this.#net.on('drop', (peer) =>
      this.#refuse(
        plainAddress(peer?.remoteAddress ?? ''),
        'budget',
        listenerError('budget', 'Too many connections are open'),
      ),
    );
  }

  /** How many connections are open, those in their handshake included. */
  get connections(): number {
    return this.#sockets.size;
  }

  /**
   * Starts to accept.
   *
   * @param port 0 for any free one.
   * @returns where it listens.
   * @throws AppError `listener.cannot_listen` when the address can't be bound.
   */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve, reject) => {
      const failed = (cause: NodeJS.ErrnoException) =>
        reject(
          listenerError(
            'cannot_listen',
            `Can't listen on ${host} port ${port}: ${cause.code ?? cause.message}`,
            {
              hint: 'Choose another address or port, or stop the program that holds it.',
              cause,
            },
          ),
        );
      this.#net.once('error', failed);
      this.#net.listen({ host, port }, () => {
        this.#net.off('error', failed);
        const bound = this.#net.address() as AddressInfo;
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }

  /**
   * Serves new connections with other certificates, and trusts other CAs. Open ones stay as they are.
   *
   * @throws RangeError when it would change whether client certificates are asked for.
   */
  setIdentity(identity: ServingIdentity, others: readonly ServingIdentity[] = []): void {
    const asks = this.#options.identity.clientCaPems !== undefined;
    if ([identity, ...others].some(({ clientCaPems }) => (clientCaPems !== undefined) !== asks)) {
      throw new RangeError('Whether a port asks for client certificates is fixed when it is made');
    }
    this.#tls.setSecureContext(contextOptions(identity));
    this.#contexts = contextsOf([identity, ...others]);
  }

  /** Who is at the other end of a call. Undefined when its connection is gone: treat that as nobody. */
  peerOf(call: PeerCall): PeerFacts | undefined {
    const certificate = call.getAuthContext().sslPeerCertificate;
    if (certificate !== undefined) return this.#facts.get(certificate);
    if (this.#options.identity.clientCaPems !== undefined) return undefined;
    const address = /^(.+):[0-9]+$/.exec(call.getPeer())?.[1];
    return address === undefined ? undefined : { address: plainAddress(address) };
  }

  /** The device at the other end of a call, on a port that asks for certificates. Undefined: refuse the call. */
  deviceOf(call: PeerCall): DevicePeer | undefined {
    const certificate = call.getAuthContext().sslPeerCertificate;
    return certificate === undefined ? undefined : this.#facts.get(certificate);
  }

  /** Takes the connections that a device has now. The function that is returned ends those, and none that came after. */
  connectionsOf(deviceId: string): () => void {
    const sockets = [...(this.#byDevice.get(deviceId) ?? [])];
    return () => {
      for (const socket of sockets) socket.destroy();
    };
  }

  /** Accepts no more, lets calls finish for up to `graceMs` milliseconds, then ends what is left. Idempotent. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#net.close(() => resolve()));
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    this.#injector.drain(graceMs);
    const timer = this.#clock.setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await closed;
    // The server is closed once the last handle is; the sockets say so a moment later.
    await Promise.all([...this.#sockets].map((socket) => new Promise((done) => socket.once('close', done))));
    this.#clock.clearTimeout(timer);
    this.#injector.destroy();
  }

  #accept(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '');
    const { key } = budgetKeyOf(address);
    const open = this.#perAddress.get(key) ?? 0;
    if (open >= (this.#options.maxConnectionsPerAddress ?? Number.POSITIVE_INFINITY)) {
      socket.resetAndDestroy();
      this.#refuse(
        address,
        'budget',
        listenerError('budget', `${open} connections of this address are open`),
      );
      return;
    }
    const admission = this.#options.budget.admit(address);
    if (!admission.admitted) {
      socket.resetAndDestroy();
      const limit =
        admission.limit === 'handshakes' ? 'handshakes in progress' : `connections per ${admission.limit}`;
      this.#refuse(address, 'budget', listenerError('budget', `The limit of ${limit} is reached`));
      return;
    }
    this.#handshakes.set(socket, { address, admission });
    this.#sockets.add(socket);
    this.#perAddress.set(key, open + 1);
    socket.once('close', () => {
      admission.release();
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(key) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(key);
      else this.#perAddress.set(key, left);
    });
    // A reset before TLS has taken over would otherwise be an uncaught error.
    socket.on('error', () => socket.destroy());
    this.#waiting.push(socket);
    if (this.#waiting.length === 1) setImmediate(() => this.#startHandshakes());
  }

  #startHandshakes(): void {
    for (const socket of this.#waiting.splice(0, startsPerTurn)) {
      if (!socket.destroyed) this.#tls.emit('connection', socket);
    }
    if (this.#waiting.length > 0) setImmediate(() => this.#startHandshakes());
  }

  #secured(socket: TLSSocket): void {
    const address = this.#endHandshake(socket);
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      this.#refuse(address, 'no_http2', listenerError('no_http2', 'The peer offers no HTTP/2'));
      return;
    }
    if (this.#options.identity.clientCaPems !== undefined) {
      const refusal = this.#identify(socket, address);
      if (refusal !== undefined) {
        socket.destroy();
        this.#refuse(address, ...refusal);
        return;
      }
    }
    this.#injector.injectConnection(socket);
  }

  /** Learns the device from the verified certificate, once for the connection. Returns why it is refused. */
  #identify(socket: TLSSocket, address: string): readonly [RefusalReason, Error] | undefined {
    const certificate = socket.getPeerCertificate();
    const { deviceId, fingerprint, notAfter } =
      socket.authorized && certificate.raw !== undefined
        ? inspectCertificate(certificate.raw)
        : { deviceId: undefined, fingerprint: '', notAfter: 0 };
    if (deviceId === undefined) {
      return ['not_a_device', listenerError('not_a_device', 'The certificate names no device')];
    }
    const ofDevice = this.#byDevice.get(deviceId)?.size ?? 0;
    if (ofDevice >= (this.#options.maxConnectionsPerDevice ?? Number.POSITIVE_INFINITY)) {
      return ['budget', listenerError('budget', `${ofDevice} connections of device ${deviceId} are open`)];
    }
    // gRPC asks the socket for the certificate on each call: with the same object each time, the facts are found by it.
    // An address and port would not do, because two connections to two addresses of this host can share them.
    Object.defineProperty(socket, 'getPeerCertificate', { value: () => certificate });
    this.#facts.set(certificate, { address, deviceId, fingerprint, notAfter });
    const sockets = this.#byDevice.get(deviceId) ?? new Set();
    this.#byDevice.set(deviceId, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0 && this.#byDevice.get(deviceId) === sockets) this.#byDevice.delete(deviceId);
    });
    return undefined;
  }

  #failed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const address = this.#endHandshake(socket);
    socket.destroy();
    this.#refuse(address, refusalReason(error, socket), error);
  }

  /** Gives the handshake's place back and tells the peer's address, which a socket that is already closed forgets. */
  #endHandshake(socket: TLSSocket): string {
    const under: unknown = Reflect.get(socket, '_parent');
    const handshake = typeof under === 'object' && under !== null ? this.#handshakes.get(under) : undefined;
    handshake?.admission.release();
    return handshake?.address ?? plainAddress(socket.remoteAddress ?? '');
  }

  #refuse(address: string, reason: RefusalReason, error: Error): void {
    this.#options.onRefused?.({ address, reason, error });
  }
}

function contextsOf(identities: readonly ServingIdentity[]): ReadonlyMap<string, SecureContext> {
  return new Map(
    identities.map((identity) => {
      const fingerprint = fingerprintOf(parseCertificate(identity.caPem).raw);
      return [caServerName(fingerprint), createSecureContext(contextOptions(identity))];
    }),
  );
}

function contextOptions(identity: ServingIdentity): SecureContextOptions {
  return {
    cert: `${identity.certificatePem}\n${identity.caPem}`,
    key: identity.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    ...(identity.clientCaPems === undefined ? {} : { ca: [...identity.clientCaPems] }),
    minVersion: 'TLSv1.3',
    // No tickets that carry a session, and no cache that one could be found in: each connection shows its certificate.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
