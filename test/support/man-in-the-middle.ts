import { once } from 'node:events';
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { BeginReply__Output } from '../../src/adapters/grpc/gen/palyra/node/v1/BeginReply.js';
import type { BeginRequest__Output } from '../../src/adapters/grpc/gen/palyra/node/v1/BeginRequest.js';
import type { ProveReply__Output } from '../../src/adapters/grpc/gen/palyra/node/v1/ProveReply.js';
import type { ProveRequest__Output } from '../../src/adapters/grpc/gen/palyra/node/v1/ProveRequest.js';
import {
  fetchShownCa,
  pinnedChannelOptions,
  pinnedCredentials,
} from '../../src/adapters/grpc/pinned-channel.js';
import { EnrollmentService } from '../../src/adapters/grpc/proto.js';
import { createCa } from '../../src/adapters/pki/certificate-authority.js';
import { systemClock } from '../../src/kernel/clock.js';
import { preparedKeys } from './prepared-keys.js';

let own: ReturnType<typeof makeOwn> | undefined;

/** An authority of one's own, and a certificate of it that says all that a daemon's says. */
async function makeOwn() {
  const ca = await createCa({ clock: systemClock, keys: preparedKeys });
  const { publicKey, privateKey } = await preparedKeys.rsa(2048);
  const { pem } = await ca.issueServer({ publicKey, hosts: [] });
  return { ca, privateKey, pem };
}

/** What a man in the middle changes on the way; what it leaves out goes through as it is. */
export interface Tampering {
  begin?(request: BeginRequest__Output): BeginRequest__Output;
  beginReply?(reply: BeginReply__Output, ownCa: Buffer): BeginReply__Output;
  prove?(request: ProveRequest__Output): ProveRequest__Output;
  proveReply?(reply: ProveReply__Output): ProveReply__Output;
}

/**
 * A proxy between a machine and a daemon that ends TLS with a certificate of its own authority, reads every message and passes it
 * on, changed or not.
 */
export class ManInTheMiddle {
  readonly address: string;
  /** The calls that came from the machine, in order, with what they said. */
  readonly seen: { readonly rpc: string; readonly message: object }[];
  readonly #server: Server;
  readonly #daemon: InstanceType<typeof EnrollmentService>;

  private constructor(
    address: string,
    seen: ManInTheMiddle['seen'],
    server: Server,
    daemon: InstanceType<typeof EnrollmentService>,
  ) {
    this.address = address;
    this.seen = seen;
    this.#server = server;
    this.#daemon = daemon;
  }

  static async start(daemonAddress: string, tampering: Tampering = {}): Promise<ManInTheMiddle> {
    own ??= makeOwn();
    const { ca, privateKey, pem } = await own;
    const genuine = await fetchShownCa({ address: daemonAddress, timeoutMs: 5_000 });
    const credentials = pinnedCredentials({ caCertificates: [genuine.caPem] });
    const daemon = new EnrollmentService(daemonAddress, credentials, pinnedChannelOptions);
    const seen: ManInTheMiddle['seen'] = [];
    const pass =
      <Request extends object, Reply>(
        rpc: string,
        call: (request: Request, done: (error: ServiceError | null, reply?: Reply) => void) => unknown,
        change: (request: Request) => Request = (request) => request,
        changeReply: (reply: Reply) => Reply = (reply) => reply,
      ) =>
      (
        { request }: { readonly request: Request },
        answer: (error: ServiceError | null, reply?: Reply) => void,
      ): void => {
        seen.push({ rpc, message: request });
        call(change(request), (error, reply) =>
          error || reply === undefined ? answer(error) : answer(null, changeReply(reply)),
        );
      };
    const { begin, beginReply, prove, proveReply } = tampering;
    const ownCa = Buffer.from(ca.certificate);
    const implementation = {
      Begin: pass<BeginRequest__Output, BeginReply__Output>(
        'Begin',
        (request, done) => daemon.Begin(request, new Metadata(), done),
        begin,
        beginReply && ((reply) => beginReply(reply, ownCa)),
      ),
      Prove: pass<ProveRequest__Output, ProveReply__Output>(
        'Prove',
        (request, done) => daemon.Prove(request, new Metadata(), done),
        prove,
        proveReply,
      ),
    };
    const server = new Server();
    // What it does not serve is answered as not implemented: a machine that went on here would get nowhere.
    server.addService(EnrollmentService.service, implementation as unknown as UntypedServiceImplementation);
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' });
    const identity = {
      private_key: Buffer.from(key),
      cert_chain: Buffer.from(`${pem}\n${ca.certificatePem}`),
    };
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [identity]), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return new ManInTheMiddle(`127.0.0.1:${port}`, seen, server, daemon);
  }

  close(): void {
    this.#daemon.close();
    this.#server.forceShutdown();
  }
}

/** A pipe of bytes to an address, so that a client appears to come from `localAddress`. */
export class Relay {
  readonly address: string;
  readonly #server: NetServer;
  readonly #sockets: Set<Socket>;

  private constructor(address: string, server: NetServer, sockets: Set<Socket>) {
    this.address = address;
    this.#server = server;
    this.#sockets = sockets;
  }

  static async start(to: string, localAddress: string): Promise<Relay> {
    const port = Number(to.slice(to.lastIndexOf(':') + 1));
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect({ host: '127.0.0.1', port, localAddress });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.setNoDelay();
        socket.on('error', () => other.destroy());
        socket.on('close', () => other.destroy());
        socket.pipe(other);
      }
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const bound = server.address();
    const address = `127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`;
    return new Relay(address, server, sockets);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
