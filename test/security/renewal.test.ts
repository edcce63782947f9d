import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RenewCertificate } from '../../src/actors/device/renewals.js';
import { signEd25519 } from '../../src/actors/identity/ed25519.js';
import { signedStatement } from '../../src/actors/identity/transcript.js';
import { pinnedChannelOptions, pinnedCredentials } from '../../src/adapters/grpc/pinned-channel.js';
import { RenewalClient } from '../../src/adapters/grpc/renewal-client.js';
import { type CertificateRequest, createRequest } from '../../src/adapters/pki/csr.js';
import type { KeyPair } from '../../src/adapters/pki/keys.js';
import { toAppError } from '../../src/kernel/errors.js';
import { admin, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { preparedKeys } from '../support/prepared-keys.js';
import { RawNode } from '../support/raw-node.js';

let local: LocalDaemon;
let alice: EnrolledDevice;
let bob: EnrolledDevice;

beforeAll(async () => {
  local = await LocalDaemon.start();
  alice = await local.enrol('alice');
  bob = await local.enrol('bob');
});
afterAll(() => local.close());

interface NextKey {
  readonly tlsKey: KeyObject;
  readonly request: CertificateRequest;
}

async function nextKey(device: EnrolledDevice): Promise<NextKey> {
  const keys = await preparedKeys.rsa(2048);
  return { tlsKey: keys.privateKey, request: await createRequest(keys, device.identity.deviceId) };
}

/** A client with the certificate of a device. */
function clientOf({ identity, membership }: EnrolledDevice): RenewalClient {
  return new RenewalClient({
    address: local.daemon.addresses.node,
    credentials: pinnedCredentials({
      caCertificates: membership.caCertificates,
      clientCert: { certificatePem: membership.certificate, privateKey: identity.tlsKey },
    }),
    options: pinnedChannelOptions,
  });
}

/** Asks with the certificate of `device`; `changes` is what an attacker does to the request. */
async function renew(
  device: EnrolledDevice,
  { request }: NextKey,
  changes: Partial<RenewCertificate & { readonly rpc: string; readonly signer: KeyObject }> = {},
) {
  const client = clientOf(device);
  try {
    const { deviceId, identityKey } = device.identity;
    const nonce = await client.challenge();
    const { rpc = 'RenewCertificate', signer = identityKey, ...sent } = changes;
    const statement = signedStatement({ rpc, subject: deviceId, csrDigest: request.digest, nonce });
    const identitySignature = signEd25519(signer, statement);
    return await client.renew({ deviceId, csr: request.der, identitySignature, nonce, ...sent });
  } finally {
    client.close();
  }
}

/** The device with another certificate and its key. */
function withCertificate(device: EnrolledDevice, certificate: string, tlsKey: KeyObject): EnrolledDevice {
  return {
    identity: { ...device.identity, tlsKey },
    membership: { ...device.membership, certificate },
  };
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => 'nothing was thrown',
    (thrown: unknown) => toAppError(thrown).code,
  );
}

async function certificatesOf(device: EnrolledDevice) {
  return (await local.daemon.control.devices.get(admin, device.identity.deviceId)).certificates;
}

describe('the next certificate', () => {
  it('is one, however often it is asked for, and the old one is valid until a session with it is live', async () => {
    const next = await nextKey(alice);
    const answers = await Promise.all(Array.from({ length: 12 }, () => renew(alice, next)));
    expect(new Set(answers.map(({ certificate }) => certificate)).size).toBe(1);
    const [{ certificate = '', caCertificates } = {}] = answers;
    expect(caCertificates).toEqual(alice.membership.caCertificates);
    expect((await certificatesOf(alice)).map(({ pending }) => pending)).toEqual([false, true]);
    const renewed = withCertificate(alice, certificate, next.tlsKey);

    // The answer may be lost, and the old one is what the node has.
    const old = await RawNode.connect(local, alice);
    expect(old.isLive).toBe(true);
    expect((await renew(alice, next)).certificate).toBe(certificate);

    // A call with the new one is not its use yet: what comes over the old stream still counts.
    expect(await codeOf(renew(renewed, next))).toBe('nothing was thrown');
    old.heartbeat();
    expect(old.isOver).toBe(false);
    expect(await certificatesOf(alice)).toHaveLength(2);

    // A node that moves is heard on its new stream only.
    old.answersPings = false;
    const live = await RawNode.connect(local, renewed, { ticket: old.ticket });
    await expect.poll(() => certificatesOf(alice)).toMatchObject([{ pending: false }]);
    expect(await codeOf(renew(alice, await nextKey(alice)))).toBe('session.unknown_certificate');
    live.close();
    old.close();
    alice = renewed;
  });

  it('is asked for by no node so often that it uses up what the others need for theirs', async () => {
    const hostile = await local.enrol('hostile');
    const next = await nextKey(hostile);
    const { deviceId, identityKey } = hostile.identity;
    const client = clientOf(hostile);
    const ask = async (): Promise<string> => {
      const nonce = await client.challenge();
      const statement = signedStatement({
        rpc: 'RenewCertificate',
        subject: deviceId,
        csrDigest: next.request.digest,
        nonce,
      });
      const identitySignature = signEd25519(identityKey, statement);
      return codeOf(client.renew({ deviceId, csr: next.request.der, identitySignature, nonce }));
    };
    const codes = await Promise.all(Array.from({ length: 200 }, ask));
    client.close();
    expect(codes.filter((code) => code === 'nothing was thrown').length).toBeLessThan(150);
    expect(new Set(codes)).toEqual(new Set(['nothing was thrown', 'pairing.busy']));
    expect(await codeOf(renew(bob, await nextKey(bob)))).toBe('nothing was thrown');
  });

  it('that was not used gives way to one for another request: at most one is pending', async () => {
    const first = await renew(bob, await nextKey(bob));
    const secondKey = await nextKey(bob);
    const second = await renew(bob, secondKey);
    expect(second.certificate).not.toBe(first.certificate);
    expect(await certificatesOf(bob)).toHaveLength(2);
    const live = await RawNode.connect(local, withCertificate(bob, second.certificate, secondKey.tlsKey));
    expect(live.isLive).toBe(true);
    await expect.poll(() => certificatesOf(bob)).toHaveLength(1);
    live.close();
    bob = withCertificate(bob, second.certificate, secondKey.tlsKey);
  });

  it('is refused to a TLS key without the identity key, and to a signature for anything else', async () => {
    const next = await nextKey(alice);
    const stranger = generateKeyPairSync('ed25519').privateKey;
    expect(await codeOf(renew(alice, next, { signer: stranger }))).toBe('pairing.bad_signature');
    expect(await codeOf(renew(alice, next, { signer: bob.identity.identityKey }))).toBe(
      'pairing.bad_signature',
    );
    expect(await codeOf(renew(alice, next, { rpc: 'Confirm' }))).toBe('pairing.bad_signature');
    expect(await codeOf(renew(alice, next, { identitySignature: new Uint8Array(64) }))).toBe(
      'pairing.bad_signature',
    );
    expect(await codeOf(renew(alice, next, { nonce: new Uint8Array(32) }))).toBe('pairing.bad_signature');
    const other = await nextKey(alice);
    expect(await codeOf(renew(alice, next, { csr: other.request.der }))).toBe('pairing.bad_signature');
    expect(await certificatesOf(alice)).toHaveLength(1);
  });

  it('is refused for another device than that of the certificate', async () => {
    const next = await nextKey(bob);
    expect(await codeOf(renew(alice, next, { deviceId: bob.identity.deviceId }))).toBe(
      'session.wrong_device',
    );
  });

  it('takes a nonce once', async () => {
    const next = await nextKey(alice);
    const client = clientOf(alice);
    const { deviceId, identityKey } = alice.identity;
    const nonce = await client.challenge();
    const statement = signedStatement({
      rpc: 'RenewCertificate',
      subject: deviceId,
      csrDigest: next.request.digest,
      nonce,
    });
    const request = {
      deviceId,
      csr: next.request.der,
      identitySignature: signEd25519(identityKey, statement),
      nonce,
    };
    await client.renew(request);
    expect(await codeOf(client.renew(request))).toBe('pairing.bad_signature');
    client.close();
  });

  it('is refused for the key of the certificate that it is to replace, also in another request and before the first use', async () => {
    const used = { privateKey: bob.identity.tlsKey, publicKey: createPublicKey(bob.identity.tlsKey) };
    const sameKey = async (keys: KeyPair): Promise<NextKey> => ({
      tlsKey: keys.privateKey,
      request: await createRequest(keys, alice.identity.deviceId),
    });
    const before = await certificatesOf(bob);
    const refused = await renew(bob, await sameKey(used)).catch(toAppError);
    expect(refused).toMatchObject({
      code: 'pairing.invalid_request',
      message: expect.stringContaining('is for the key of the certificate that it is to replace'),
      hint: expect.stringContaining('fresh key'),
    });
    expect(await certificatesOf(bob)).toEqual(before);

    const keys = await preparedKeys.rsa(2048);
    const next = { tlsKey: keys.privateKey, request: await createRequest(keys, bob.identity.deviceId) };
    const { certificate } = await renew(bob, next);
    const renewed = withCertificate(bob, certificate, next.tlsKey);
    expect(await codeOf(renew(renewed, await sameKey(keys)))).toBe('pairing.invalid_request');
    // The answer to the same request is not another certificate.
    expect((await renew(renewed, next)).certificate).toBe(certificate);
  });

  it('is refused for a weak key, and nothing becomes pending', async () => {
    const before = await certificatesOf(bob);
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const keys = {
      publicKey,
      privateKey: createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    };
    const request = await createRequest(keys, bob.identity.deviceId);
    expect(await codeOf(renew(bob, { tlsKey: keys.privateKey, request }))).toBe('pki.invalid_request');
    expect(await certificatesOf(bob)).toEqual(before);
  });
});
