/**
 * The floor's daemon side: a bare grpc-js server with mTLS that pushes a message and waits until it comes back. No
 * validation, no record, no actor, no batching.
 */
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { deviceIdOf } from '../../src/actors/identity/device-id.js';
import { rawPublicKey } from '../../src/actors/identity/ed25519.js';
import { createCa } from '../../src/adapters/pki/certificate-authority.js';
import { createRequest } from '../../src/adapters/pki/csr.js';
import { freshKeys, privateKeyToPem } from '../../src/adapters/pki/keys.js';
import { systemClock } from '../../src/kernel/clock.js';
import { type Call, type Latency, measureLatency, measureRate } from '../measure.js';
import { payload } from '../payload.js';
import { serveRole } from '../role.js';
import { type FloorMessage, loadFloor } from './floor-proto.js';

/** How the floor's node side reaches its daemon side. PEM. */
export interface FloorTarget {
  readonly port: number;
  readonly ca: string;
  readonly key: string;
  readonly certificate: string;
}

export type FloorDaemonAsks = {
  listen(): Promise<FloorTarget>;
  /** The node side has opened its stream. */
  ready(): Promise<void>;
  latency(body: { readonly samples: number }): Promise<Latency>;
  rate(body: { readonly inFlight: number; readonly durationMs: number }): Promise<number>;
};

type EchoCall = ServerDuplexStream<FloorMessage, FloorMessage>;

const server = new Server();
const waiting = new Map<number, (error?: unknown) => void>();
const bytes = Buffer.from(JSON.stringify(payload));
let opened: (stream: EchoCall) => void = () => {};
const stream = new Promise<EchoCall>((resolve) => {
  opened = resolve;
});
let lastId = 0;

function serve(call: EchoCall): void {
  call.on('data', ({ id, payload: echoed }: FloorMessage) => {
    const done = waiting.get(id);
    waiting.delete(id);
    done?.(echoed.length === bytes.length ? undefined : new Error('The echo is not what was sent'));
  });
  call.on('error', () => call.end());
  call.on('end', () => call.end());
  opened(call);
}

async function listen(): Promise<FloorTarget> {
  const ca = await createCa({ clock: systemClock });
  const [serverKeys, nodeKeys, identity] = await Promise.all([
    freshKeys.rsa(2048),
    freshKeys.rsa(2048),
    freshKeys.ed25519(),
  ]);
  const deviceId = deviceIdOf(rawPublicKey(identity.publicKey));
  const [certificate, { der }] = await Promise.all([
    ca.issueServer({ publicKey: serverKeys.publicKey, hosts: ['localhost'] }),
    createRequest(nodeKeys, deviceId),
  ]);
  const nodeCertificate = await ca.issueDevice(der, deviceId);
  server.addService(loadFloor().service, { Echo: serve });
  const credentials = ServerCredentials.createSsl(
    Buffer.from(ca.certificatePem),
    [
      {
        private_key: Buffer.from(privateKeyToPem(serverKeys.privateKey).reveal()),
        cert_chain: Buffer.from(certificate.pem),
      },
    ],
    true,
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return {
    port,
    ca: ca.certificatePem,
    key: privateKeyToPem(nodeKeys.privateKey).reveal(),
    certificate: nodeCertificate.pem,
  };
}

async function call(): Promise<Call> {
  const out = await stream;
  return (done) => {
    const id = ++lastId;
    waiting.set(id, done);
    out.write({ id, payload: bytes });
  };
}

serveRole<FloorDaemonAsks>(
  {
    listen,
    ready: async () => void (await stream),
    latency: async ({ samples }) => measureLatency(await call(), samples),
    rate: async ({ inFlight, durationMs }) => measureRate(await call(), inFlight, durationMs),
  },
  async () => server.forceShutdown(),
);
