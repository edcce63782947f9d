import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import forge from 'node-forge';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { firstRecord, standingOf } from '../../src/actors/authority/record.js';
import { Devices } from '../../src/actors/device/devices.js';
import { Renewals } from '../../src/actors/device/renewals.js';
import { type DeviceId, deviceIdOf } from '../../src/actors/identity/device-id.js';
import { rawPublicKey, signEd25519 } from '../../src/actors/identity/ed25519.js';
import { newPinCode, pinPassword } from '../../src/actors/identity/pin-code.js';
import { signedStatement } from '../../src/actors/identity/transcript.js';
import { Nonces } from '../../src/actors/pairing/nonces.js';
import { toOperation } from '../../src/actors/records.js';
import { type CertificateRequest, createRequest } from '../../src/adapters/pki/csr.js';
import { privateKeyToPem } from '../../src/adapters/pki/keys.js';
import { SecretFiles } from '../../src/adapters/secrets/secret-files.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { Authorities } from '../../src/daemon/authorities.js';
import { loadConfig } from '../../src/daemon/config/daemon-config.js';
import { systemClock } from '../../src/kernel/clock.js';
import { MemoryRevocations } from '../../src/testing/memory-revocations.js';
import { sampleDevice, silent } from '../model/samples.js';
import { bestTurns, turnsDuring, turnsText } from '../support/loop-turns.js';
import { preparedKeys } from '../support/prepared-keys.js';

const longestMs = 5;
const rounds = 4;
const fleet = 10;
const perRound = 50;

interface Machine {
  readonly id: DeviceId;
  readonly identityKey: KeyObject;
  readonly fingerprint: string;
}

let directory: string;
let authorities: Authorities;
let renewals: Renewals;
let machines: readonly Machine[];
/** One for each certificate, since the same request gets the same certificate. */
let requests: readonly CertificateRequest[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'palyra-event-loop-'));
  const files = await SecretFiles.open(directory, undefined, silent);
  const { certificates } = loadConfig({ env: {}, flags: {} });
  authorities = await Authorities.open({
    directory,
    files,
    clock: systemClock,
    log: silent,
    certificates,
    keys: preparedKeys,
  });
  authorities.apply(standingOf(firstRecord(authorities.fingerprints, systemClock.now())));
  const keys = await preparedKeys.rsa(2048);
  const names = Array.from({ length: 2 * rounds * perRound }, (_, n) =>
    deviceIdOf(createHash('sha256').update(`request ${n}`).digest()),
  );
  requests = await Promise.all(names.map((name) => createRequest(keys, name)));
  const store = new MemoryStore();
  machines = await Promise.all(Array.from({ length: fleet }, () => enrolled(store)));
  const devices = await Devices.open({
    store,
    revocations: new MemoryRevocations(),
    clock: systemClock,
    log: silent,
  });
  renewals = new Renewals({
    devices,
    authority: authorities,
    nonces: new Nonces(systemClock),
    clock: systemClock,
    advertised: { enrollment: () => [], node: () => [] },
  });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function enrolled(store: MemoryStore): Promise<Machine> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = rawPublicKey(publicKey);
  const id = deviceIdOf(raw);
  const { der } = await createRequest(await preparedKeys.rsa(2048), id);
  const { pem: _pem, ...certificate } = await authorities.issueDevice(der, id);
  const record = sampleDevice({
    id,
    name: id,
    identityKey: raw.toString('base64url'),
    certificates: [certificate],
  });
  await store.commit([toOperation('device', id, record)]);
  return { id, identityKey: privateKey, fingerprint: certificate.fingerprint };
}

async function renew({ id, identityKey, fingerprint }: Machine, request: CertificateRequest): Promise<void> {
  const nonce = renewals.challenge();
  const statement = signedStatement({
    rpc: 'RenewCertificate',
    subject: id,
    csrDigest: request.digest,
    nonce,
  });
  const identitySignature = signEd25519(identityKey, statement);
  await renewals.renew(
    { deviceId: id, fingerprint, certificateEnds: Number.POSITIVE_INFINITY, address: '127.0.0.1' },
    { deviceId: id, csr: request.der, identitySignature, nonce },
  );
}

/** So many certificates asked for at once, and as many renewals by a fleet, each machine one after the other. */
async function issue(round: number): Promise<void> {
  const from = 2 * round * perRound;
  const first = requests.slice(from, from + perRound);
  const next = requests.slice(from + perRound, from + 2 * perRound);
  const byMachine = machines.map(async (machine, index) => {
    for (const request of next.filter((_, n) => n % fleet === index)) await renew(machine, request);
  });
  const id = machines[0]?.id ?? '';
  await Promise.all([...first.map(({ der }) => authorities.issueDevice(der, id)), ...byMachine]);
}

it('hundreds of certificates are issued without blocking the event loop for 5 ms', {
  timeout: 60_000,
}, async () => {
  const issuing = await bestTurns(rounds, issue);
  const key = forge.pki.privateKeyFromPem(privateKeyToPem(authorities.issuing.privateKey).reveal());
  const inJavaScript = await turnsDuring(async () => {
    for (let n = 0; n < 20; n++) {
      key.sign(forge.md.sha256.create().update(`${n}`));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  console.log(`${2 * rounds * perRound} certificates: ${turnsText(issuing)}`);
  console.log(`signed in JavaScript instead: ${turnsText(inJavaScript)}`);
  expect(issuing.p95).toBeLessThan(longestMs);
  // All that is asked for at once would take longer than one signature in JavaScript.
  expect(issuing.longest).toBeLessThan(inJavaScript.median / 4);
});

it('PINs are minted without blocking the event loop for 5 ms', async () => {
  // What a daemon does at its start, before it opens its ports: see LivePins.
  await pinPassword(newPinCode(new Set()));
  const minting = await bestTurns(rounds, async () => {
    for (let n = 0; n < 3; n++) await pinPassword(newPinCode(new Set()));
  });
  console.log(`${3 * rounds} PINs: ${turnsText(minting)}`);
  expect(minting.longest).toBeLessThan(longestMs);
});
