import { createPublicKey, randomBytes } from 'node:crypto';
import {
  type Client,
  type ClientReadableStream,
  Metadata,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signEd25519 } from '../../src/actors/identity/ed25519.js';
import { signedStatement } from '../../src/actors/identity/transcript.js';
import {
  type PinnedCredentialsOptions,
  pinnedChannelOptions,
  pinnedCredentials,
} from '../../src/adapters/grpc/pinned-channel.js';
import { EnrollmentService, NodeService } from '../../src/adapters/grpc/proto.js';
import { type RpcAuthority, rpcAuthority } from '../../src/adapters/grpc/rpc-authority.js';
import { fromStatus } from '../../src/adapters/grpc/status.js';
import { createCa } from '../../src/adapters/pki/certificate-authority.js';
import { createRequest } from '../../src/adapters/pki/csr.js';
import { signCertificate } from '../../src/adapters/pki/forge-signer.js';
import { systemClock } from '../../src/kernel/clock.js';
import { admin, bundledAnnouncement, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { preparedKeys } from '../support/prepared-keys.js';

type ClientCertificate = NonNullable<PinnedCredentialsOptions['clientCert']>;

let local: LocalDaemon;
let alice: EnrolledDevice;
let bob: EnrolledDevice;
let revoked: EnrolledDevice;
let bobsPairing: string;

beforeAll(async () => {
  local = await LocalDaemon.start();
  alice = await local.enrol('alice');
  bob = await local.enrol('bob');
  revoked = await local.enrol('revoked');
  const { pairings } = await local.daemon.control.pairings.list(admin, {});
  bobsPairing = pairings.find(({ deviceId }) => deviceId === bob.identity.deviceId)?.id ?? '';
  await local.daemon.control.devices.decide(admin, revoked.identity.deviceId, {
    action: 'revoke',
    reason: 'stolen',
  });
});
afterAll(() => local.close());

function certificateOf({ identity, membership }: EnrolledDevice): ClientCertificate {
  return { certificatePem: membership.certificate, privateKey: identity.tlsKey };
}

/** A certificate for alice that another CA has issued. */
async function ofAnotherCa(): Promise<ClientCertificate> {
  const { tlsKey, deviceId } = alice.identity;
  const { der } = await createRequest({ privateKey: tlsKey, publicKey: createPublicKey(tlsKey) }, deviceId);
  const { pem } = await (await createCa({ clock: systemClock, keys: preparedKeys })).issueDevice(
    der,
    deviceId,
  );
  return { certificatePem: pem, privateKey: tlsKey };
}

/** A certificate for alice that she has signed herself. */
async function selfSigned(): Promise<ClientCertificate> {
  const { tlsKey, deviceId } = alice.identity;
  const name = [{ name: 'commonName', value: deviceId }];
  const der = await signCertificate(
    {
      publicKey: createPublicKey(tlsKey),
      subject: name,
      issuer: name,
      notBefore: Date.now() - 60_000,
      notAfter: Date.now() + 3_600_000,
      extensions: [
        { name: 'extKeyUsage', clientAuth: true },
        { name: 'subjectAltName', altNames: [{ type: 6, value: `palyra://device/${deviceId}` }] },
      ],
    },
    tlsKey,
  );
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  return { certificatePem: pem, privateKey: tlsKey };
}

type Call = (request: object) => Promise<ServiceError | null>;

/** Calls one RPC; resolves with its error, or with null when it was answered. */
function caller(service: 'Enrollment' | 'Node', name: string, clientCert?: ClientCertificate): Call {
  const credentials = pinnedCredentials({
    caCertificates: alice.membership.caCertificates,
    ...(clientCert ? { clientCert } : {}),
  });
  const { enrollment, node } = local.daemon.addresses;
  const client: Client =
    service === 'Node'
      ? new NodeService(node, credentials, pinnedChannelOptions)
      : new EnrollmentService(enrollment, credentials, pinnedChannelOptions);
  const definition = definitions[service][name];
  if (!definition) throw new Error(`There is no RPC ${name}`);
  const { path, requestStream, responseStream, requestSerialize, responseDeserialize } = definition;
  return async (request) => {
    const error = await new Promise<ServiceError | null>((resolve) => {
      const options = { deadline: Date.now() + 5_000 };
      const listen = (stream: ClientReadableStream<object>): void => {
        stream
          .on('data', () => resolve(null))
          .on('end', () => resolve(null))
          .on('error', resolve);
      };
      const empty = new Metadata();
      if (requestStream) {
        const stream = client.makeBidiStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          empty,
          options,
        );
        listen(stream);
        stream.write(request);
      } else if (responseStream) {
        listen(
          client.makeServerStreamRequest(
            path,
            requestSerialize,
            responseDeserialize,
            request,
            empty,
            options,
          ),
        );
      } else {
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          new Metadata(),
          options,
          resolve,
        );
      }
    });
    client.close();
    return error;
  };
}

const definitions: Readonly<Record<'Enrollment' | 'Node', ServiceDefinition>> = {
  Enrollment: EnrollmentService.service,
  Node: NodeService.service,
};

const ofNode = Object.entries(rpcAuthority.Node);
const ofEnrollment = Object.entries(rpcAuthority.Enrollment);
const asking = (authority: RpcAuthority) =>
  ofEnrollment.filter(([, asked]) => asked === authority).map(([name]) => name);

describe('the table of RPCs', () => {
  it('has each RPC of the proto files, and no other', () => {
    for (const service of ['Enrollment', 'Node'] as const)
      expect(Object.keys(rpcAuthority[service]).sort()).toEqual(Object.keys(definitions[service]).sort());
  });

  it('asks for a certificate everywhere on the node port, and leaves open what begins an exchange', () => {
    expect(ofNode.every(([, authority]) => authority.startsWith('device'))).toBe(true);
    expect(asking('none').sort()).toEqual(['Begin', 'Challenge']);
  });
});

describe.each(ofNode.map(([name]) => name))('Node.%s', (name) => {
  it.each([
    ['no certificate', async () => undefined],
    ['a self-signed certificate', selfSigned],
    ['a certificate of another CA', ofAnotherCa],
  ])('is out of reach with %s: the handshake fails', async (_what, make) => {
    const certificate = await make();
    const error = await caller('Node', name, certificate)({});
    expect(error?.code).toBe(status.UNAVAILABLE);
  });

  it('is refused to a revoked device, with the reason', async () => {
    const error = await caller('Node', name, certificateOf(revoked))({});
    expect(error && fromStatus(error)).toMatchObject({
      code: 'session.revoked',
      message: expect.stringContaining('stolen'),
    });
  });
});

it.each(['RegisterNode', 'RenewCertificate', 'Leave'])(
  'Node.%s is refused for another device than that of the certificate',
  async (name) => {
    const error = await caller(
      'Node',
      name,
      certificateOf(alice),
    )({
      deviceId: bob.identity.deviceId,
      protocol: { major: 1, minor: 0 },
      csr: bob.identity.csr,
      nonce: randomBytes(32),
      identitySignature: randomBytes(64),
    });
    expect(error && fromStatus(error).code).toBe('session.wrong_device');
  },
);

it('Node.RenewCertificate is refused without the identity key, with the right certificate', async () => {
  const error = await caller(
    'Node',
    'RenewCertificate',
    certificateOf(alice),
  )({
    deviceId: alice.identity.deviceId,
    csr: alice.identity.csr,
    nonce: randomBytes(32),
    identitySignature: randomBytes(64),
  });
  expect(error && fromStatus(error).code).toBe('pairing.bad_signature');
});

describe.each(asking('identity'))('Enrollment.%s', (name) => {
  /** The call about bob's pairing, or about bob, signed by the key of `signer`. */
  async function signedBy(signer: EnrolledDevice['identity'] | undefined, certificate?: ClientCertificate) {
    const nonce = await freshNonce();
    const subject = name === 'Return' ? bob.identity.deviceId : bobsPairing;
    const statement = signedStatement({ rpc: name, subject, csrDigest: bob.identity.csrDigest, nonce });
    return caller(
      'Enrollment',
      name,
      certificate,
    )({
      protocol: { major: 1, minor: 0 },
      deviceId: bob.identity.deviceId,
      pairingId: bobsPairing,
      csr: bob.identity.csr,
      plugins: await bundledAnnouncement(),
      nonce,
      identitySignature: signer ? signEd25519(signer.identityKey, statement) : Buffer.alloc(0),
    });
  }

  it.each([
    ['without a signature', () => signedBy(undefined)],
    ['with the signature of another device', () => signedBy(alice.identity)],
    [
      'with that and its certificate: a certificate counts for nothing here',
      () => signedBy(alice.identity, certificateOf(bob)),
    ],
  ])('is refused %s', async (_what, call) => {
    const error = await call();
    expect(error && fromStatus(error)).toMatchObject({
      code: 'pairing.bad_signature',
      category: 'forbidden',
    });
  });
});

it.each(asking('code'))('Enrollment.%s is refused without an attempt that Begin has opened', async (name) => {
  const error = await caller(
    'Enrollment',
    name,
  )({
    attemptId: randomBytes(16).toString('hex'),
    csr: alice.identity.csr,
    identitySignature: randomBytes(64),
    joinSignature: randomBytes(64),
  });
  expect(error && fromStatus(error).code).toBe('pairing.code_refused');
});

/** A nonce of the enrolment port. */
function freshNonce(): Promise<Buffer> {
  const credentials = pinnedCredentials({ caCertificates: alice.membership.caCertificates });
  const client = new EnrollmentService(local.daemon.addresses.enrollment, credentials, pinnedChannelOptions);
  return new Promise((resolve, reject) => {
    client.Challenge({}, (error, reply) => {
      client.close();
      if (reply) resolve(reply.nonce);
      else reject(error);
    });
  });
}
