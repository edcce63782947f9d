import { createHash, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Socket,
} from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import {
  Client,
  type ClientDuplexStream,
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { preparedKeys } from '../../../test/support/prepared-keys.js';
import { type DeviceId, deviceIdOf } from '../../actors/identity/device-id.js';
import { systemClock } from '../../kernel/clock.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { createCa, loadCa } from '../pki/certificate-authority.js';
import { createRequest } from '../pki/csr.js';
import type { KeyPair } from '../pki/keys.js';
import { caServerName } from './ca-name.js';
import { ConnectionBudget, defaultConnectionLimits } from './connection-budget.js';
import { GrpcListener, type GrpcListenerOptions, type PeerFacts, type ServingIdentity } from './listener.js';
import { pinnedChannelOptions, pinnedCredentials } from './pinned-channel.js';
import type { Refusal } from './refusal.js';

const day = 24 * 3_600_000;
const [caKeys, otherCaKeys, serverKeys, deviceKeys] = (await Promise.all(
  Array.from({ length: 4 }, () => preparedKeys.rsa(2048)),
)) as [KeyPair, KeyPair, KeyPair, KeyPair];
const from = (keys: KeyPair) => ({ ...preparedKeys, rsa: async () => keys });
const longAgo = new SimulatedClock(Date.now() - 30 * day);
const ca = await createCa({ clock: longAgo, keys: from(caKeys) });
const nowCa = loadCa({ clock: systemClock, certificatePem: ca.certificatePem, privateKey: ca.privateKey });
const otherCa = await createCa({ clock: systemClock, keys: from(otherCaKeys) });
const server = await nowCa.issueServer({ publicKey: serverKeys.publicKey, hosts: ['localhost'] });
const deviceA = deviceIdOf(Buffer.alloc(32, 1));
const deviceB = deviceIdOf(Buffer.alloc(32, 2));

interface ClientCert {
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
  readonly fingerprint: string;
}

async function clientCert(authority: typeof ca, deviceId: DeviceId): Promise<ClientCert> {
  const { pem, fingerprint } = await authority.issueDevice(
    (await createRequest(deviceKeys, deviceId)).der,
    deviceId,
  );
  return { certificatePem: pem, privateKey: deviceKeys.privateKey, fingerprint };
}

const certA = await clientCert(nowCa, deviceA);
const certB = await clientCert(nowCa, deviceB);

const enrolmentIdentity: ServingIdentity = {
  certificatePem: server.pem,
  privateKey: serverKeys.privateKey,
  caPem: ca.certificatePem,
};
const nodeIdentity: ServingIdentity = { ...enrolmentIdentity, clientCaPems: [ca.certificatePem] };

const bytes = (value: Buffer) => value;
const paths = {
  echo: '/test.Echo/Echo',
  stream: '/test.Echo/Stream',
  wait: '/test.Echo/Wait',
  hold: '/test.Echo/Hold',
};
const definition = {
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Port {
  readonly listener: GrpcListener;
  readonly port: number;
  readonly refusals: Refusal[];
  /** Who called, in order. */
  readonly peers: (PeerFacts | undefined)[];
  /** Goes on with the calls of `wait` and `hold`. */
  readonly waiting: (() => void)[];
  /** Streams that the server has seen end early. */
  readonly cancelled: (PeerFacts | undefined)[];
}

async function openPort(
  identity: ServingIdentity,
  changed: Partial<GrpcListenerOptions> = {},
  serverOptions: ConstructorParameters<typeof Server>[0] = {},
): Promise<Port> {
  const refusals: Refusal[] = [];
  const peers: (PeerFacts | undefined)[] = [];
  const waiting: (() => void)[] = [];
  const cancelled: (PeerFacts | undefined)[] = [];
  const grpcServer = new Server({ 'grpc.max_receive_message_length': 4 << 20, ...serverOptions });
  const listener = new GrpcListener({
    server: grpcServer,
    identity,
    budget: new ConnectionBudget(systemClock),
    onRefused: (refusal) => refusals.push(refusal),
    ...changed,
  });
  grpcServer.addService(
    {
      echo: { path: paths.echo, requestStream: false, responseStream: false, ...definition },
      wait: { path: paths.wait, requestStream: false, responseStream: false, ...definition },
      stream: { path: paths.stream, requestStream: true, responseStream: true, ...definition },
      hold: { path: paths.hold, requestStream: true, responseStream: true, ...definition },
    },
    {
      echo: (call: ServerUnaryCall<Buffer, Buffer>, reply: (error: null, value: Buffer) => void) => {
        peers.push(listener.peerOf(call));
        reply(null, call.request);
      },
      wait: (call: ServerUnaryCall<Buffer, Buffer>, reply: (error: null, value: Buffer) => void) => {
        waiting.push(() => reply(null, call.request));
      },
      stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
        const peer = listener.peerOf(call);
        peers.push(peer);
        call.on('cancelled', () => cancelled.push(peer));
        call.on('error', () => call.destroy());
        echoBack(call);
      },
      hold: (call: ServerDuplexStream<Buffer, Buffer>) => {
        waiting.push(() => echoBack(call));
      },
    },
  );
  const { port } = await listener.listen('127.0.0.1', 0);
  cleanups.push(() => listener.close(0));
  return { listener, port, refusals, peers, waiting, cancelled };
}

function echoBack(call: ServerDuplexStream<Buffer, Buffer>): void {
  call.on('data', (chunk: Buffer) => {
    if (call.write(chunk)) return;
    call.pause();
    call.once('drain', () => call.resume());
  });
  call.on('end', () => call.end());
}

function connectClient(port: number, cert?: ClientCert, options = {}): Client {
  const credentials = pinnedCredentials({
    caCertificates: [ca.certificatePem],
    ...(cert === undefined ? {} : { clientCert: cert }),
  });
  const client = new Client(`127.0.0.1:${port}`, credentials, {
    ...pinnedChannelOptions,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': 4 << 20,
    ...options,
  });
  cleanups.push(() => client.close());
  return client;
}

function call(client: Client, path: string, request: Buffer, deadlineMs = 10_000): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + deadlineMs;
    client.makeUnaryRequest(path, bytes, bytes, request, { deadline }, (error, value) =>
      error || value === undefined ? reject(error) : resolve(value),
    );
  });
}

const echo = (client: Client, request: Buffer) => call(client, paths.echo, request);

function openStream(client: Client, path = paths.stream): ClientDuplexStream<Buffer, Buffer> {
  const stream = client.makeBidiStreamRequest(path, bytes, bytes);
  // Streams end with an error when a test ends; who waits for something on one sees it there.
  stream.on('error', () => stream.destroy());
  return stream;
}

/** Sends one message on a stream and waits for it to come back. */
async function roundTrip(stream: ClientDuplexStream<Buffer, Buffer>, text: string): Promise<string> {
  stream.write(Buffer.from(text));
  const [answer] = (await once(stream, 'data')) as [Buffer];
  return answer.toString();
}

/** A TLS connection without gRPC; resolves when it is secure or ended. */
async function connectRaw(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    ca: ca.certificatePem,
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
    ...options,
  });
  cleanups.push(() => socket.destroy());
  await new Promise<void>((resolve) => {
    socket.once('secureConnect', resolve);
    socket.once('close', () => resolve());
    socket.on('error', () => resolve());
  });
  return socket;
}

/** Waits for the end of a connection, however it ends. */
const ended = (socket: Socket) => eventually(() => expect(socket.resume().closed).toBe(true));

const tlsCert = (cert: ClientCert) => ({
  cert: cert.certificatePem,
  key: cert.privateKey.export({ format: 'pem', type: 'pkcs8' }),
});

const eventually = <T>(check: () => T) => vi.waitFor(check, { timeout: 5000, interval: 5 });

describe('gRPC over connections that are given to it', () => {
  test('messages up to the limit come back whole, one over it is refused', async () => {
    const { port } = await openPort(nodeIdentity);
    const client = connectClient(port, certA);
    const large = Buffer.alloc((4 << 20) - 64, 'palyra');
    const digest = (value: Buffer) => createHash('sha256').update(value).digest('hex');
    expect(digest(await echo(client, large))).toBe(digest(large));
    await expect(echo(client, Buffer.alloc((4 << 20) + 1))).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    expect((await echo(client, Buffer.from('again'))).toString()).toBe('again');
  });

  test('flow control holds a sender back while nobody reads, and loses nothing', async () => {
    const { port, waiting } = await openPort(nodeIdentity);
    const stream = openStream(connectClient(port, certA), paths.hold);
    const part = Buffer.alloc(64 << 10, 1);
    const count = 400;
    let sent = 0;
    const sending = (async () => {
      for (; sent < count; sent++) if (!stream.write(part)) await once(stream, 'drain');
    })();
    let unchanged = 0;
    let last = -1;
    await eventually(() => {
      unchanged = sent === last ? unchanged + 1 : 0;
      last = sent;
      expect(unchanged).toBeGreaterThan(10);
    });
    expect(sent).toBeLessThan(count / 2);
    expect(waiting).toHaveLength(1);
    waiting[0]?.();
    let received = 0;
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    await sending;
    stream.end();
    await once(stream, 'end');
    expect(received).toBe(count * part.length);
  });

  test('100 streams at a time share one connection', async () => {
    const { port, listener } = await openPort(nodeIdentity);
    const client = connectClient(port, certA);
    const streams = Array.from({ length: 100 }, () => openStream(client));
    const answers = await Promise.all(streams.map((stream, at) => roundTrip(stream, `stream ${at}`)));
    expect(answers).toEqual(streams.map((_, at) => `stream ${at}`));
    expect(listener.connections).toBe(1);
    for (const stream of streams) stream.end();
  });

  test('keepalive keeps a live connection and ends a half-open one', async () => {
    const keepalive = { 'grpc.keepalive_time_ms': 20, 'grpc.keepalive_timeout_ms': 150 };
    const { port, cancelled } = await openPort(nodeIdentity, {}, keepalive);
    const links: Socket[] = [];
    let fromDaemon = 0;
    const relay = createTcpServer((near) => {
      const far = connectTcp(port, '127.0.0.1');
      links.push(near, far);
      far.on('data', () => fromDaemon++);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        socket.pipe(other);
        socket.on('error', () => other.destroy());
      }
    });
    await once(relay.listen(0, '127.0.0.1'), 'listening');
    cleanups.push(() => {
      for (const socket of links) socket.destroy();
      relay.close();
    });
    const stream = openStream(connectClient((relay.address() as AddressInfo).port, certA));
    expect(await roundTrip(stream, 'hello')).toBe('hello');
    const before = fromDaemon;
    await eventually(() => expect(fromDaemon).toBeGreaterThan(before + 5));
    expect(await roundTrip(stream, 'still here')).toBe('still here');
    expect(cancelled).toEqual([]);
    for (const socket of links) socket.unpipe();
    await eventually(() => expect(cancelled).toMatchObject([{ deviceId: deviceA }]));
  });
});

describe('the peer of a call', () => {
  test('on the node port is the device of the verified certificate', async () => {
    const { port, peers, listener } = await openPort(nodeIdentity);
    const [a, b] = [connectClient(port, certA), connectClient(port, certB)];
    await echo(a, Buffer.of(1));
    await echo(b, Buffer.of(2));
    await echo(a, Buffer.of(3));
    expect(peers).toEqual([
      {
        address: '127.0.0.1',
        deviceId: deviceA,
        fingerprint: certA.fingerprint,
        notAfter: expect.any(Number),
      },
      {
        address: '127.0.0.1',
        deviceId: deviceB,
        fingerprint: certB.fingerprint,
        notAfter: expect.any(Number),
      },
      peers[0],
    ]);
    expect(peers[2]).toBe(peers[0]);
    expect(Math.abs((peers[0]?.notAfter ?? 0) - Date.now() - day)).toBeLessThan(60_000);
    expect(listener.connections).toBe(2);
  });

  test('on the enrolment port is an address, even if the client shows a certificate', async () => {
    const { port, peers } = await openPort(enrolmentIdentity);
    await echo(connectClient(port), Buffer.of(1));
    await echo(connectClient(port, certA), Buffer.of(1));
    expect(peers).toEqual([{ address: '127.0.0.1' }, { address: '127.0.0.1' }]);
  });
});

describe('the node port refuses', () => {
  async function reasonFor(options: ConnectionOptions): Promise<Refusal | undefined> {
    const { port, refusals, peers } = await openPort(nodeIdentity);
    const socket = await connectRaw(port, options);
    await ended(socket);
    await eventually(() => expect(refusals).toHaveLength(1));
    expect(peers).toEqual([]);
    return refusals[0];
  }

  test('no certificate', async () => {
    expect(await reasonFor({})).toMatchObject({ address: '127.0.0.1', reason: 'no_certificate' });
  });

  test('a self-signed certificate', async () => {
    const { certificatePem, privateKey } = otherCa;
    const selfSigned = { cert: certificatePem, key: privateKey.export({ format: 'pem', type: 'pkcs8' }) };
    expect(await reasonFor(selfSigned)).toMatchObject({
      address: '127.0.0.1',
      reason: 'untrusted_certificate',
    });
  });

  test('a certificate of another CA, of the same name and for the same device', async () => {
    const foreign = await clientCert(otherCa, deviceA);
    expect(await reasonFor(tlsCert(foreign))).toMatchObject({
      address: '127.0.0.1',
      reason: 'untrusted_certificate',
    });
  });

  test('an expired certificate', async () => {
    const expired = await clientCert(ca, deviceA);
    expect(await reasonFor(tlsCert(expired))).toMatchObject({ address: '127.0.0.1', reason: 'expired' });
  });

  test('the certificate of the daemon itself', async () => {
    const serverCert = {
      cert: server.pem,
      key: serverKeys.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    };
    expect((await reasonFor(serverCert))?.reason).toBe('untrusted_certificate');
  });

  test('TLS 1.2', async () => {
    expect((await reasonFor({ maxVersion: 'TLSv1.2', ...tlsCert(certA) }))?.reason).toBe('tls_failure');
  });

  test('a peer without HTTP/2', async () => {
    expect((await reasonFor({ ALPNProtocols: ['http/1.1'], ...tlsCert(certA) }))?.reason).toBe('no_http2');
    expect((await reasonFor({ ALPNProtocols: [], ...tlsCert(certA) }))?.reason).toBe('no_http2');
  });

  test('and the node is told by gRPC that it is not reachable', async () => {
    const { port, refusals } = await openPort(nodeIdentity);
    await expect(echo(connectClient(port), Buffer.of(1))).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(refusals[0]?.reason).toBe('no_certificate');
  });
});

describe('before TLS', () => {
  test('a peer that says nothing is ended at the handshake limit', async () => {
    const { port, refusals, listener } = await openPort(nodeIdentity, { handshakeTimeoutMs: 40 });
    const socket = connectTcp(port, '127.0.0.1');
    await once(socket, 'close');
    expect(refusals).toMatchObject([{ address: '127.0.0.1', reason: 'handshake_timeout' }]);
    await eventually(() => expect(listener.connections).toBe(0));
  });

  test('what is no TLS at all, and who hangs up, is refused', async () => {
    const { port, refusals } = await openPort(nodeIdentity);
    connectTcp(port, '127.0.0.1').end('GET / HTTP/1.1\r\n\r\n').resume();
    await eventually(() => expect(refusals).toMatchObject([{ address: '127.0.0.1', reason: 'tls_failure' }]));
    connectTcp(port, '127.0.0.1').end();
    await eventually(() => expect(refusals[1]).toMatchObject({ address: '127.0.0.1', reason: 'hung_up' }));
  });

  test('connections past the budget cost no handshake, and finished handshakes give their place back', async () => {
    const limits = { ...defaultConnectionLimits, perIpv4: { burst: 4, perSecond: 0 }, handshakes: 1 };
    const budget = new ConnectionBudget(systemClock, limits);
    const { port, refusals } = await openPort(nodeIdentity, { budget });
    for (let at = 0; at < 2; at++) {
      const socket = await connectRaw(port, tlsCert(certA));
      expect(socket.authorized).toBe(true);
      await once(socket.resume(), 'data');
    }
    const refused = await connectRaw(port);
    await eventually(() => expect(refusals.map(({ reason }) => reason)).toEqual(['no_certificate']));
    expect(refused.destroyed).toBe(true);
    await connectRaw(port, tlsCert(certB));
    await connectRaw(port, tlsCert(certB));
    expect(refusals[1]).toMatchObject({
      address: '127.0.0.1',
      reason: 'budget',
      error: { code: 'listener.budget' },
    });
  });

  test('no more than the given number of connections are open', async () => {
    const { port, refusals, listener } = await openPort(nodeIdentity, { maxConnections: 1 });
    await connectRaw(port, tlsCert(certA));
    await connectRaw(port, tlsCert(certB));
    await eventually(() => expect(refusals).toMatchObject([{ address: '127.0.0.1', reason: 'budget' }]));
    expect(listener.connections).toBe(1);
  });

  test('an address that is taken is refused with what to do', async () => {
    const { port } = await openPort(nodeIdentity);
    const second = new GrpcListener({
      server: new Server(),
      identity: nodeIdentity,
      budget: new ConnectionBudget(systemClock),
    });
    await expect(second.listen('127.0.0.1', port)).rejects.toMatchObject({ code: 'listener.cannot_listen' });
    await second.close(0);
  });
});

describe('sessions and certificates', () => {
  test('no session is resumed: each connection shows its certificate', async () => {
    const { port, refusals } = await openPort(nodeIdentity);
    const first = await connectRaw(port, tlsCert(certA));
    const [session] = (await once(first.resume(), 'session')) as [Buffer];
    const second = await connectRaw(port, { session, ...tlsCert(certA) });
    expect(second.authorized).toBe(true);
    expect(second.isSessionReused()).toBe(false);
    const third = await connectRaw(port, { session });
    await ended(third);
    expect(refusals.map(({ reason }) => reason)).toEqual(['no_certificate']);
  });

  test('a new certificate serves new connections, and open ones go on', async () => {
    const { port, listener } = await openPort(nodeIdentity);
    const stream = openStream(connectClient(port, certA));
    expect(await roundTrip(stream, 'before')).toBe('before');
    const renewed = await nowCa.issueServer({ publicKey: serverKeys.publicKey, hosts: ['localhost'] });
    listener.setIdentity({ ...nodeIdentity, certificatePem: renewed.pem });
    expect(await roundTrip(stream, 'after')).toBe('after');
    const socket = await connectRaw(port, tlsCert(certB));
    const shown = socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase();
    expect(shown).toBe(renewed.fingerprint);
    expect(shown).not.toBe(server.fingerprint);
    const again = await connectRaw(port);
    await ended(again);
    expect(() => listener.setIdentity(enrolmentIdentity)).toThrow(RangeError);
    stream.end();
  });

  test('every connection of a device ends at once, and no other', async () => {
    const { port, listener, cancelled } = await openPort(nodeIdentity);
    const streams = [certA, certA, certB].map((cert) => openStream(connectClient(port, cert)));
    await Promise.all(streams.map((stream) => roundTrip(stream, 'hello')));
    const errors: number[] = [];
    for (const stream of streams)
      stream.on('error', (error: { code: number }) => void errors.push(error.code));
    const start = performance.now();
    const cut = listener.connectionsOf(deviceA);
    const later = openStream(connectClient(port, certA));
    await roundTrip(later, 'after');
    cut();
    await eventually(() => expect(cancelled).toHaveLength(2));
    await eventually(() => expect(errors).toHaveLength(2));
    console.log(`connectionsOf: the node knows after ${(performance.now() - start).toFixed(1)} ms`);
    expect(cancelled.every((peer) => peer?.deviceId === deviceA)).toBe(true);
    expect(listener.connections).toBe(2);
    expect(await roundTrip(later, 'not cut')).toBe('not cut');
    later.end();
    const [, , other] = streams;
    expect(other && (await roundTrip(other, 'unharmed'))).toBe('unharmed');
    other?.end();
  });

  test('close lets calls finish, then ends what is left', async () => {
    const { port, listener, waiting, cancelled } = await openPort(nodeIdentity);
    const client = connectClient(port, certA);
    const stream = openStream(connectClient(port, certB));
    await roundTrip(stream, 'hello');
    const answer = call(client, paths.wait, Buffer.from('slow'));
    await eventually(() => expect(waiting).toHaveLength(1));
    const closed = listener.close(150);
    await expect(echo(connectClient(port, certA), Buffer.of(1))).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    waiting[0]?.();
    expect((await answer).toString()).toBe('slow');
    expect(cancelled).toEqual([]);
    await closed;
    expect(listener.connections).toBe(0);
    await eventually(() => expect(cancelled).toHaveLength(1));
    await listener.close(0);
  });
});

describe('with two CAs', () => {
  const names = { first: caServerName(ca.fingerprint), other: caServerName(otherCa.fingerprint) };

  /** A port that serves the daemon of either CA, and trusts the devices of those that are given. */
  async function openBoth(clientCaPems: readonly string[]) {
    const { pem } = await otherCa.issueServer({ publicKey: serverKeys.publicKey, hosts: ['localhost'] });
    const identity = { ...nodeIdentity, clientCaPems };
    const other = { ...identity, certificatePem: pem, caPem: otherCa.certificatePem };
    return openPort(identity, { others: [other] });
  }

  test('each peer is shown the one that it says it knows, and the first when it does not say', async () => {
    const { port } = await openBoth([ca.certificatePem, otherCa.certificatePem]);
    const [first, other] = [ca.certificatePem, otherCa.certificatePem];
    for (const [servername, trusted, isKnown] of [
      [undefined, first, true],
      [undefined, other, false],
      ['nobody.example', first, true],
      [names.first, first, true],
      [names.other, other, true],
      [names.other, first, false],
    ] as const) {
      const options = { ca: trusted, ...tlsCert(certA), ...(servername === undefined ? {} : { servername }) };
      const socket = await connectRaw(port, options);
      expect([servername, socket.authorized]).toEqual([servername, isKnown]);
    }
  });

  test('devices of the trusted ones get in, whichever is shown to them', async () => {
    const { port, listener, refusals } = await openBoth([ca.certificatePem, otherCa.certificatePem]);
    const foreign = await clientCert(otherCa, deviceB);
    const to = (servername: string, cert: ClientCert) =>
      connectRaw(port, { servername, rejectUnauthorized: false, ...tlsCert(cert) });
    for (const name of [names.first, names.other]) {
      for (const cert of [certA, foreign]) expect((await to(name, cert)).getPeerCertificate()).toBeTruthy();
    }
    await eventually(() => expect(listener.connections).toBe(4));
    expect(refusals).toEqual([]);
    const { pem } = await otherCa.issueServer({ publicKey: serverKeys.publicKey, hosts: ['localhost'] });
    listener.setIdentity(nodeIdentity, [
      { ...nodeIdentity, certificatePem: pem, caPem: otherCa.certificatePem },
    ]);
    for (const name of [names.first, names.other]) await ended(await to(name, foreign));
    await eventually(() => expect(refusals).toHaveLength(2));
    expect(refusals.map(({ reason }) => reason)).toEqual(['untrusted_certificate', 'untrusted_certificate']);
    // Open connections stay as they are.
    expect(listener.connections).toBe(4);
  });

  test('no session is resumed under the name of a CA either', async () => {
    const { port, refusals } = await openBoth([ca.certificatePem]);
    const known = { servername: names.other, ca: otherCa.certificatePem };
    const first = await connectRaw(port, { ...known, ...tlsCert(certA) });
    const [session] = (await once(first.resume(), 'session')) as [Buffer];
    const second = await connectRaw(port, { ...known, session, ...tlsCert(certA) });
    expect([second.authorized, second.isSessionReused()]).toEqual([true, false]);
    await ended(await connectRaw(port, { ...known, session }));
    expect(refusals.map(({ reason }) => reason)).toEqual(['no_certificate']);
  });
});

test('many nodes at once are let in, a few handshakes a turn', async () => {
  const count = 200;
  const { port, listener, refusals } = await openPort(nodeIdentity);
  const start = performance.now();
  const sockets = await Promise.all(Array.from({ length: count }, () => connectRaw(port, tlsCert(certA))));
  await eventually(() => expect(listener.connections).toBe(count));
  const took = performance.now() - start;
  console.log(`${count} mTLS handshakes in ${took.toFixed(0)} ms, client and server in one process`);
  expect(sockets.every((socket) => socket.authorized)).toBe(true);
  expect(refusals).toEqual([]);
});
