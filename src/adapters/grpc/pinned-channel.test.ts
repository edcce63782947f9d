import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { Client, Server, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { preparedKeys } from '../../../test/support/prepared-keys.js';
import { deviceIdOf } from '../../actors/identity/device-id.js';
import { systemClock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import { SimulatedClock } from '../../kernel/simulated-clock.js';
import { createCa, loadCa } from '../pki/certificate-authority.js';
import { createRequest } from '../pki/csr.js';
import { type ForgeExtension, keyIdentifierOf, signCertificate } from '../pki/forge-signer.js';
import type { KeyPair } from '../pki/keys.js';
import { daemonUri } from '../pki/uri-names.js';
import { ConnectionBudget } from './connection-budget.js';
import { GrpcListener } from './listener.js';
import { fetchPinnedCa, pinnedChannelOptions, pinnedCredentials } from './pinned-channel.js';

const day = 24 * 3_600_000;
const [caKeys, attackerKeys, serverKeys] = (await Promise.all(
  Array.from({ length: 3 }, () => preparedKeys.rsa(2048)),
)) as [KeyPair, KeyPair, KeyPair];
const from = (keys: KeyPair) => ({ ...preparedKeys, rsa: async () => keys });
const ca = await createCa({ clock: new SimulatedClock(Date.now() - 60 * day), keys: from(caKeys) });
const now = loadCa({ clock: systemClock, certificatePem: ca.certificatePem, privateKey: ca.privateKey });
const attackerCa = await createCa({ clock: systemClock, keys: from(attackerKeys) });
const genuine = (await now.issueServer({ publicKey: serverKeys.publicKey, hosts: [] })).pem;
const caSha256 = Buffer.from(ca.fingerprint, 'hex');

/** A server certificate made by hand: what an attacker or a broken CA could make. */
async function handMade(uri: string, issuerKey: KeyObject, purpose: ForgeExtension): Promise<string> {
  const issuer = [
    { name: 'organizationName', value: 'Palyra' },
    { name: 'commonName', value: 'Palyra CA' },
  ];
  const der = await signCertificate(
    {
      publicKey: serverKeys.publicKey,
      subject: [{ name: 'commonName', value: 'palyrad' }],
      issuer,
      notBefore: Date.now() - day,
      notAfter: Date.now() + day,
      extensions: [
        { name: 'basicConstraints', critical: true, cA: false },
        { name: 'keyUsage', critical: true, digitalSignature: true },
        { name: 'authorityKeyIdentifier', keyIdentifier: keyIdentifierOf(caKeys.publicKey) },
        purpose,
        {
          name: 'subjectAltName',
          altNames: [
            { type: 6, value: uri },
            { type: 7, ip: '127.0.0.1' },
          ],
        },
      ],
    },
    issuerKey,
  );
  return new X509Certificate(der).toString();
}

const forServers = { name: 'extKeyUsage', serverAuth: true };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(server: NetServer): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A TLS server that shows a chain. `received`: bytes of HTTP/2 that a client trusted it with. */
async function serve(chain: readonly string[], options: TlsOptions = {}) {
  const seen = { received: 0 };
  const key = serverKeys.privateKey.export({ format: 'pem', type: 'pkcs8' });
  const server = createTlsServer(
    { cert: chain.join('\n'), key, ALPNProtocols: ['h2'], ...options },
    (socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (data) => {
        seen.received += data.length;
        socket.destroy();
      });
    },
  );
  return { address: await listen(server), seen };
}

const bytes = (value: Buffer) => value;

function call(address: string, caPem = ca.certificatePem): Promise<Buffer> {
  const credentials = pinnedCredentials({ caCertificates: [caPem] });
  const client = new Client(address, credentials, {
    ...pinnedChannelOptions,
    'grpc.use_local_subchannel_pool': 1,
  });
  cleanups.push(() => client.close());
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + 10_000 };
    client.makeUnaryRequest('/test.Echo/Echo', bytes, bytes, Buffer.of(1), options, (error, value) =>
      error || value === undefined ? reject(error) : resolve(value),
    );
  });
}

async function openEnrolmentPort(): Promise<string> {
  const server = new Server();
  const listener = new GrpcListener({
    server,
    identity: { certificatePem: genuine, privateKey: serverKeys.privateKey, caPem: ca.certificatePem },
    budget: new ConnectionBudget(systemClock),
  });
  const echo = { path: '/test.Echo/Echo', requestStream: false, responseStream: false } as const;
  const codec = {
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  server.addService(
    { echo: { ...echo, ...codec } },
    {
      echo: (unary: { request: Buffer }, reply: (error: null, value: Buffer) => void) =>
        reply(null, unary.request),
    },
  );
  const { port } = await listener.listen('127.0.0.1', 0);
  cleanups.push(() => listener.close(0));
  return `127.0.0.1:${port}`;
}

const fetch = (address: string, hash: Uint8Array = caSha256, timeoutMs = 5000) =>
  fetchPinnedCa({ address, caSha256: hash, timeoutMs });

async function errorOf(pending: Promise<unknown>): Promise<AppError> {
  const error: unknown = await pending.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw error;
}

describe('the pinned CA', () => {
  test('is fetched from the port, and a channel that trusts it alone works whatever the host is', async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.message);
    process.on('warning', note);
    cleanups.push(() => process.off('warning', note));
    const address = await openEnrolmentPort();
    const pinned = await fetch(address);
    expect(pinned).toEqual({ caPem: ca.certificatePem, caId: ca.caId, certificate: ca.certificate });
    expect(await call(address, pinned.caPem)).toEqual(Buffer.of(1));
    expect(warnings).toEqual([]);
  });

  test('of another hash is refused, naming both', async () => {
    const address = await openEnrolmentPort();
    const other = Buffer.from(attackerCa.fingerprint, 'hex');
    const error = await errorOf(fetch(address, other));
    expect(error.code).toBe('enrolment.ca_mismatch');
    expect(error.message).toContain(`shows the CA ${ca.fingerprint.slice(0, 12)}…`);
    expect(error.message).toContain(`the CA ${attackerCa.fingerprint.slice(0, 12)}… is pinned`);
    expect(error.hint).toContain('palyra pair');
    expect((await errorOf(fetch(address, Buffer.alloc(0)))).code).toBe('enrolment.ca_mismatch');
  });

  test('that is no CA is refused', async () => {
    const leafHash = createHash('sha256').update(new X509Certificate(genuine).raw).digest();
    expect((await errorOf(fetch(await openEnrolmentPort(), leafHash))).code).toBe('enrolment.not_a_daemon');
  });

  test('that nobody shows says why', async () => {
    const closed = createTcpServer();
    await once(closed.listen(0, '127.0.0.1'), 'listening');
    const address = `127.0.0.1:${(closed.address() as AddressInfo).port}`;
    await once(closed.close(), 'close');
    const unreachable = await errorOf(fetch(address));
    expect(unreachable).toMatchObject({ code: 'enrolment.unreachable', retryable: true });
    expect(unreachable.message).toBe(`Can't reach ${address}: ECONNREFUSED`);
    const silent = await listen(createTcpServer());
    expect((await errorOf(fetch(silent, caSha256, 40))).code).toBe('enrolment.no_answer');
    const plain = await listen(createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expect((await errorOf(fetch(plain))).code).toBe('enrolment.not_a_daemon');
    const old = await serve([genuine, ca.certificatePem], { maxVersion: 'TLSv1.2' });
    expect((await errorOf(fetch(old.address))).code).toBe('enrolment.not_a_daemon');
    expect((await errorOf(fetch('nowhere'))).code).toBe('enrolment.invalid_address');
  });
});

describe('a channel refuses, and sends nothing to,', () => {
  let device = '';
  beforeEach(async () => {
    const id = deviceIdOf(Buffer.alloc(32, 1));
    device = (await now.issueDevice((await createRequest(serverKeys, id)).der, id)).pem;
  });

  async function refused(chain: readonly string[], options: TlsOptions = {}): Promise<string> {
    const { address, seen } = await serve(chain, options);
    const error: unknown = await call(address).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: status.UNAVAILABLE });
    expect(seen.received).toBe(0);
    return String(error);
  }

  test('nobody, when the chain is genuine', async () => {
    const { address, seen } = await serve([genuine, ca.certificatePem]);
    await expect(call(address)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(seen.received).toBeGreaterThan(0);
  });

  test('a forged leaf of a CA of the same name, shipped with the genuine CA certificate', async () => {
    const forged = await handMade(daemonUri(ca.caId), attackerKeys.privateKey, forServers);
    const chain = [forged, ca.certificatePem];
    // The hash alone would be satisfied: the genuine CA certificate is in the chain, and it is the one that is taken.
    const { address } = await serve(chain);
    expect((await fetch(address)).certificate).toEqual(ca.certificate);
    expect(await refused(chain)).toContain('signature failure');
    await refused([forged, attackerCa.certificatePem, ca.certificatePem]);
  });

  test('a leaf of another CA', async () => {
    const other = (await attackerCa.issueServer({ publicKey: serverKeys.publicKey, hosts: ['127.0.0.1'] }))
      .pem;
    await refused([other, attackerCa.certificatePem]);
  });

  test('a device certificate used as a server', async () => {
    await refused([device, ca.certificatePem]);
  });

  test('a certificate of our CA that names another daemon', async () => {
    const other = await handMade(daemonUri(attackerCa.caId), ca.privateKey, forServers);
    expect(await refused([other, ca.certificatePem])).toContain('does not name the daemon');
  });

  test('a certificate that names the daemon and is for more than servers', async () => {
    const both = { name: 'extKeyUsage', serverAuth: true, clientAuth: true };
    const wide = await handMade(daemonUri(ca.caId), ca.privateKey, both);
    expect(await refused([wide, ca.certificatePem])).toContain('does not name the daemon');
  });

  test('an expired certificate', async () => {
    const expired = (await ca.issueServer({ publicKey: serverKeys.publicKey, hosts: [] })).pem;
    expect(await refused([expired, ca.certificatePem])).toContain('expired');
  });

  test('TLS 1.2', async () => {
    await refused([genuine, ca.certificatePem], { maxVersion: 'TLSv1.2' });
  });
});
