import { createPublicKey } from 'node:crypto';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protocolVersion } from '../../src/actors/link/frames.js';
import { registerToWire } from '../../src/adapters/grpc/codec.js';
import {
  type PinnedCredentialsOptions,
  pinnedChannelOptions,
  pinnedCredentials,
} from '../../src/adapters/grpc/pinned-channel.js';
import { NodeService } from '../../src/adapters/grpc/proto.js';
import { fromStatus } from '../../src/adapters/grpc/status.js';
import { createCa } from '../../src/adapters/pki/certificate-authority.js';
import { createRequest } from '../../src/adapters/pki/csr.js';
import { systemClock } from '../../src/kernel/clock.js';
import { hostFacts } from '../../src/node/host-facts.js';
import { bundledAnnouncement, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { preparedKeys } from '../support/prepared-keys.js';

let local: LocalDaemon;
let alice: EnrolledDevice;
let bob: EnrolledDevice;

beforeAll(async () => {
  local = await LocalDaemon.start();
  alice = await local.enrol('alice');
  bob = await local.enrol('bob');
});
afterAll(() => local.close());

type ClientCertificate = NonNullable<PinnedCredentialsOptions['clientCert']>;

function certificateOf({ identity, membership }: EnrolledDevice): ClientCertificate {
  return { certificatePem: membership.certificate, privateKey: identity.tlsKey };
}

function nodeClient(clientCert?: ClientCertificate) {
  const credentials = pinnedCredentials({
    caCertificates: alice.membership.caCertificates,
    ...(clientCert ? { clientCert } : {}),
  });
  return new NodeService(local.daemon.addresses.node, credentials, pinnedChannelOptions);
}

/** Registers as `deviceId` with a client certificate; resolves with the error, or undefined when it was accepted. */
async function register(deviceId: string, clientCert?: ClientCertificate, major = protocolVersion.major) {
  const client = nodeClient(clientCert);
  const request = registerToWire({
    protocol: { ...protocolVersion, major },
    deviceId,
    facts: hostFacts(),
    plugins: await bundledAnnouncement(),
    clockMs: Date.now(),
  });
  const error = await new Promise<ServiceError | null>((resolve) =>
    client.RegisterNode(request, new Metadata(), { deadline: Date.now() + 5_000 }, resolve),
  );
  client.close();
  return error;
}

/** Makes a certificate for a device that the daemon did not issue. */
async function foreignCertificate(device: EnrolledDevice): Promise<ClientCertificate> {
  const ca = await createCa({ clock: systemClock, keys: preparedKeys });
  const { tlsKey, deviceId } = device.identity;
  const { der } = await createRequest({ privateKey: tlsKey, publicKey: createPublicKey(tlsKey) }, deviceId);
  const { pem } = await ca.issueDevice(der, deviceId);
  return { certificatePem: pem, privateKey: tlsKey };
}

describe('the node port', () => {
  it('accepts an enrolled device with its own certificate', async () => {
    expect(await register(alice.identity.deviceId, certificateOf(alice))).toBeNull();
  });

  it('refuses a connection without a certificate in the handshake, and the log says what to do', async () => {
    const error = await register(alice.identity.deviceId);
    expect(error?.code).toBe(status.UNAVAILABLE);
    const line = local.log.find(({ fields }) => fields.reason === 'no_certificate');
    expect(line?.message).toContain('machines enrol on the enrolment port first');
  });

  it('refuses a certificate of another CA that names an enrolled device', async () => {
    const error = await register(alice.identity.deviceId, await foreignCertificate(alice));
    expect(error?.code).toBe(status.UNAVAILABLE);
    expect(local.log.some(({ fields }) => fields.reason === 'untrusted_certificate')).toBe(true);
  });

  it('refuses a message that names another device than the certificate', async () => {
    const error = await register(bob.identity.deviceId, certificateOf(alice));
    expect(error?.code).toBe(status.PERMISSION_DENIED);
    expect(error && fromStatus(error)).toMatchObject({
      code: 'session.wrong_device',
      fields: [{ field: 'device_id', message: `is not ${alice.identity.deviceId}` }],
    });
  });

  it('refuses another protocol and names the side to upgrade', async () => {
    const error = await register(alice.identity.deviceId, certificateOf(alice), 99);
    expect(error?.code).toBe(status.FAILED_PRECONDITION);
    expect(error && fromStatus(error)).toMatchObject({ hint: 'Upgrade palyrad on the daemon.' });
  });

  it('refuses a stream that does not open with Hello, or with a Hello of another epoch', async () => {
    const first = nodeClient(certificateOf(alice));
    const noHello = first.Events();
    noHello.write({ heartbeat: { inFlight: 0 } });
    const refused = await new Promise<ServiceError>((resolve) => noHello.on('error', resolve));
    expect(fromStatus(refused)).toMatchObject({ code: 'session.protocol' });
    const stale = first.Events();
    stale.write({ hello: { epoch: 1_000_000, surfaceDigest: '', ticket: Buffer.alloc(0), inFlight: [] } });
    const late = await new Promise<ServiceError>((resolve) => stale.on('error', resolve));
    expect(late.code).toBe(status.FAILED_PRECONDITION);
    expect(fromStatus(late)).toMatchObject({ code: 'session.stale_epoch', hint: 'Register again.' });
    first.close();
  });
});
