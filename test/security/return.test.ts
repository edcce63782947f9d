import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signEd25519 } from '../../src/actors/identity/ed25519.js';
import { fingerprintWords } from '../../src/actors/identity/fingerprint-words.js';
import { returnTranscript, signedStatement } from '../../src/actors/identity/transcript.js';
import type { ReturnRequest } from '../../src/actors/pairing/returns.js';
import { type Decision, EnrollmentClient } from '../../src/adapters/grpc/enrollment-client.js';
import { pinnedChannelOptions, pinnedCredentials } from '../../src/adapters/grpc/pinned-channel.js';
import { createCa, loadCa } from '../../src/adapters/pki/certificate-authority.js';
import { type CertificateRequest, createRequest } from '../../src/adapters/pki/csr.js';
import { inspectCertificate, parseCertificate } from '../../src/adapters/pki/inspect-certificate.js';
import { privateKeyFromPem } from '../../src/adapters/pki/keys.js';
import { systemClock } from '../../src/kernel/clock.js';
import { toAppError } from '../../src/kernel/errors.js';
import { Secret } from '../../src/kernel/secret.js';
import { hostFacts } from '../../src/node/host-facts.js';
import { admin, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { preparedKeys } from '../support/prepared-keys.js';
import { ShiftedClock } from '../support/shifted-clock.js';

const day = 86_400_000;
const clock = new ShiftedClock();

let local: LocalDaemon;

beforeAll(async () => {
  local = await LocalDaemon.start('', clock);
});
afterAll(() => local.close());

/** A device whose certificate ended twelve days ago by the daemon's clock, with the request for its next one. */
async function away(name: string) {
  clock.shiftMs = 0;
  const device = await local.enrol(name);
  clock.shiftMs = 13 * day;
  return { device, request: await nextRequest(device) };
}

async function nextRequest({ identity }: EnrolledDevice): Promise<CertificateRequest> {
  return createRequest(await preparedKeys.rsa(2048), identity.deviceId);
}

interface Changes extends Partial<Omit<ReturnRequest, 'protocol'>> {
  readonly rpc?: string;
  readonly signer?: KeyObject;
}

/** Asks to come back; `changes` is what an attacker does to the request. Resolves when the operator has to be asked, too. */
async function ask(
  { identity, membership }: EnrolledDevice,
  request: CertificateRequest,
  changes: Changes = {},
): Promise<Decision | { readonly kind: 'pending'; readonly pairingId: string }> {
  const { enrollment } = local.daemon.addresses;
  const credentials = pinnedCredentials({ caCertificates: membership.caCertificates });
  const client = new EnrollmentClient(
    enrollment,
    credentials,
    pinnedChannelOptions as Record<string, string>,
  );
  const hangUp = new AbortController();
  try {
    const { rpc = 'Return', signer = identity.identityKey, ...sent } = changes;
    const nonce = await client.challenge();
    const statement = signedStatement({ rpc, subject: identity.deviceId, csrDigest: request.digest, nonce });
    const decided = await new Promise<Awaited<ReturnType<typeof ask>>>((resolve, reject) => {
      client
        .comeBack(
          {
            deviceId: identity.deviceId,
            csr: request.der,
            certificate: parseCertificate(membership.certificate).raw,
            facts: hostFacts(),
            nonce,
            identitySignature: signEd25519(signer, statement),
            ...sent,
          },
          (pairingId) => resolve({ kind: 'pending', pairingId }),
          hangUp.signal,
        )
        .then(resolve, reject);
    });
    return decided;
  } finally {
    hangUp.abort();
    client.close();
  }
}

const refusalCode = (thrown: unknown): string => toAppError(thrown).code;

async function codeOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    (value) => `nothing was thrown, but ${JSON.stringify(value)}`,
    (thrown: unknown) => toAppError(thrown).code,
  );
}

async function pairingsOf({ identity }: EnrolledDevice) {
  const { pairings } = await local.daemon.control.pairings.list(admin, {});
  return pairings.filter(({ deviceId, method }) => deviceId === identity.deviceId && method === 'return');
}

const deviceOf = ({ identity }: EnrolledDevice) => local.daemon.control.devices.get(admin, identity.deviceId);

/** A certificate of the daemon's own CA that its database knows nothing of. */
async function issueBehindItsBack({ der }: CertificateRequest, deviceId: string): Promise<string> {
  const [key, certificatePem] = ['ca.key', 'ca.crt'].map((name) =>
    readFileSync(join(local.directory, 'daemon', name), 'utf8'),
  );
  const privateKey = privateKeyFromPem(new Secret(key ?? ''));
  const ca = loadCa({ clock: systemClock, certificatePem: certificatePem ?? '', privateKey });
  return (await ca.issueDevice(der, deviceId)).pem;
}

describe('a known device whose certificate has ended', () => {
  it('waits for the operator, who sees that it is the same key, since when, and the words on its screen', async () => {
    const { device, request } = await away('patient');
    const { deviceId } = device.identity;
    expect((await deviceOf(device)).trust).toBe('expired');
    const first = await ask(device, request);
    expect(first.kind).toBe('pending');
    const [pairing, ...more] = await pairingsOf(device);
    expect(more).toEqual([]);
    const ended = inspectCertificate(device.membership.certificate).notAfter;
    expect(pairing).toMatchObject({
      id: first.pairingId,
      state: 'pending_approval',
      method: 'return',
      certificateExpiresAt: ended,
      proposedName: 'patient',
      seenBefore: 'trusted',
      requested: [],
      codeId: '',
    });
    expect(pairing?.fingerprintWords).toEqual(fingerprintWords(returnTranscript(deviceId, request.digest)));
    expect(Math.round((clock.now() - ended) / day)).toBe(12);

    // It keeps its one request; the approval is one click and says which request it saw.
    expect(await ask(device, request)).toEqual(first);
    const { transcript = '' } = pairing ?? {};
    const approved = await local.daemon.control.pairings.approve(admin, first.pairingId, { transcript });
    expect(approved).toMatchObject({ state: 'approved', decision: { by: 'operator:test', name: 'patient' } });
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(device, request)));
    const certificates = new Set(answers.map((answer) => answer.kind === 'approved' && answer.certificate));
    expect(certificates.size).toBe(1);
    const [certificate] = certificates;
    expect(inspectCertificate(certificate || '').deviceId).toBe(deviceId);
    // What was approved for it before still is; the rest of its record too.
    const after = await deviceOf(device);
    expect(after).toMatchObject({ name: 'patient', trust: 'trusted' });
    expect(after.approvals.length).toBeGreaterThan(0);
  });

  it('begins anew with another key, and a decision about the one before does not count for it', async () => {
    const { device, request } = await away('forgetful');
    const first = await ask(device, request);
    const [seen] = await pairingsOf(device);
    const other = await nextRequest(device);
    const second = await ask(device, other);
    expect(second).toEqual(first);
    const decide = (transcript = '') =>
      local.daemon.control.pairings.approve(admin, first.pairingId, { transcript });
    expect(await codeOf(decide(seen?.transcript))).toBe('pairing.changed');
    const [now] = await pairingsOf(device);
    await decide(now?.transcript);
    expect((await ask(device, other)).kind).toBe('approved');
    // It lost that key, too.
    const third = await nextRequest(device);
    expect(await ask(device, third)).toEqual(first);
  });

  it('is not held to an approval that it never fetched: its one key may ask again', async () => {
    const { device, request } = await away('asleep');
    const { pairingId } = await ask(device, request);
    const [{ transcript = '' } = {}] = await pairingsOf(device);
    await local.daemon.control.pairings.approve(admin, pairingId, { transcript });
    // What was issued has ended before the approval has: it would get it nowhere.
    clock.shiftMs += 2 * day;
    expect(await ask(device, request)).toEqual({ kind: 'pending', pairingId });
    const [{ transcript: anew = '' } = {}] = await pairingsOf(device);
    await local.daemon.control.pairings.approve(admin, pairingId, { transcript: anew });
    // And then the approval itself.
    clock.shiftMs += 2 * day;
    await local.restart();
    await expect.poll(() => pairingsOf(device)).toMatchObject([{ state: 'expired' }]);
    const later = await ask(device, request);
    expect(later.kind).toBe('pending');
    expect(later.pairingId).not.toBe(pairingId);
  });

  it('stays out when the operator says no, and may ask again', async () => {
    const { device, request } = await away('refused');
    const { pairingId } = await ask(device, request);
    const [{ transcript = '' } = {}] = await pairingsOf(device);
    await local.daemon.control.pairings.reject(admin, pairingId, { transcript, reason: 'who is this?' });
    expect((await deviceOf(device)).trust).toBe('expired');
    const again = await ask(device, request);
    expect(again.kind).toBe('pending');
    expect(again.pairingId).not.toBe(pairingId);
  });

  it('is told the reason when it was shut out, whatever the policy', async () => {
    const { device, request } = await away('lost');
    const { deviceId } = device.identity;
    await local.daemon.control.devices.decide(admin, deviceId, { action: 'revoke', reason: 'laptop lost' });
    await expect(ask(device, request)).rejects.toMatchObject({
      code: 'pairing.device_barred',
      message: expect.stringContaining('laptop lost'),
      hint: expect.stringContaining('lift'),
    });
    expect(await pairingsOf(device)).toEqual([]);
  });

  it('needs the identity key: neither another key, a signature for anything else nor a used nonce will do', async () => {
    const { device, request } = await away('victim');
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const other = await nextRequest(device);
    expect(await codeOf(ask(device, request, { signer: stranger }))).toBe('pairing.bad_signature');
    expect(await codeOf(ask(device, request, { rpc: 'Confirm' }))).toBe('pairing.bad_signature');
    expect(await codeOf(ask(device, request, { csr: other.der }))).toBe('pairing.bad_signature');
    expect(await codeOf(ask(device, request, { nonce: new Uint8Array(32) }))).toBe('pairing.bad_signature');
    expect(await codeOf(ask(device, request, { csr: new Uint8Array(10) }))).toBe('pairing.bad_signature');
    expect(await pairingsOf(device)).toEqual([]);
  });

  it('may begin anew a few times, and not fill the records with its requests', async () => {
    const { device, request } = await away('restless');
    const other = await nextRequest(device);
    const codes: string[] = [];
    for (let i = 0; i < 10; i++) {
      for (const one of [request, other])
        codes.push(await ask(device, one).then(({ kind }) => kind, refusalCode));
    }
    // The key of the last request that was taken keeps that; other devices have a budget of their own.
    const over = ['pairing.busy', 'pending', 'pairing.busy', 'pending'];
    expect(codes).toEqual([...Array(16).fill('pending'), ...over]);
    const bystander = await away('bystander');
    expect((await ask(bystander.device, bystander.request)).kind).toBe('pending');
  });

  it('must be known here', async () => {
    const { device, request } = await away('known');
    const { deviceId } = (await local.identity('stranger')).identity;
    expect(await codeOf(ask(device, request, { deviceId }))).toBe('pairing.unknown_device');
  });
});

describe('a known device whose certificate is in force', () => {
  it('is sent back to the node port, and leaves no trace', async () => {
    const { device, request } = await away('hasty');
    clock.shiftMs = 0;
    expect(await codeOf(ask(device, request))).toBe('pairing.in_force');
    expect(await pairingsOf(device)).toEqual([]);
  });

  it('but not in the records is issued a new one, as after a restored backup, and that is written down', async () => {
    clock.shiftMs = 0;
    const device = await local.enrol('restored');
    // Its own CA has issued it, and no record says so: the database is from before.
    const restored = await local.enrol('before');
    const { deviceId } = device.identity;
    const issued = await issueBehindItsBack(await nextRequest(device), deviceId);
    const shown = { certificate: parseCertificate(issued).raw };
    const answer = await ask(device, await nextRequest(device), shown);
    expect(answer.kind).toBe('approved');
    expect(await pairingsOf(device)).toMatchObject([
      { decision: { by: 'system:pairing.return', reason: expect.stringContaining('backup') } },
    ]);
    // That certificate proves nothing for another device.
    expect((await ask(restored, await nextRequest(restored), { ...shown })).kind).toBe('pending');
  });

  it('of another CA is nothing', async () => {
    clock.shiftMs = 0;
    const device = await local.enrol('forged');
    const foreign = await createCa({ clock: systemClock, keys: preparedKeys });
    const { pem } = await foreign.issueDevice((await nextRequest(device)).der, device.identity.deviceId);
    const answer = await ask(device, await nextRequest(device), { certificate: parseCertificate(pem).raw });
    expect(answer.kind).toBe('pending');
  });
});

describe('the policy that lets known devices come back', () => {
  let lenient: LocalDaemon;

  beforeAll(async () => {
    lenient = await LocalDaemon.start('pairing: { return: allow, returnMaxAge: 7d }', clock);
    [local, lenient] = [lenient, local];
  });
  afterAll(async () => {
    [local, lenient] = [lenient, local];
    await lenient.close();
  });

  it('asks nobody for as long as it says, writes down why, and asks an operator after that', async () => {
    const { device, request } = await away('returning');
    clock.shiftMs = 3 * day;
    expect((await ask(device, request)).kind).toBe('approved');
    expect(await pairingsOf(device)).toMatchObject([
      {
        state: 'approved',
        decision: {
          by: 'system:pairing.return',
          reason: expect.stringMatching(/^its certificate ended .* ago/),
        },
      },
    ]);
    const late = await away('late');
    expect((await ask(late.device, late.request)).kind).toBe('pending');
  });

  it('lets nobody in who was shut out', async () => {
    const { device, request } = await away('barred');
    clock.shiftMs = 3 * day;
    const { deviceId } = device.identity;
    await local.daemon.control.devices.decide(admin, deviceId, { action: 'remove', reason: 'scrapped' });
    expect(await codeOf(ask(device, request))).toBe('pairing.device_barred');
  });
});

it('a wall clock that is set while the daemon runs is in its log, with what to do', async () => {
  const wall = new ShiftedClock();
  const watched = await LocalDaemon.start('', wall);
  wall.shiftMs = 2 * day;
  await expect.poll(() => watched.daemon.lastClockStep?.byMs ?? 0).toBeGreaterThan(0);
  expect(watched.log.find(({ message }) => message.startsWith('The wall clock'))).toMatchObject({
    level: 'warn',
    message: 'The wall clock was set 2d forwards',
    fields: { hint: expect.stringContaining('NTP') },
  });
  await watched.close();
});
