import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preparedKeys } from '../../test/support/prepared-keys.js';
import { firstRecord, rotated, type Standing, standingOf } from '../actors/authority/record.js';
import { deviceIdOf } from '../actors/identity/device-id.js';
import { createRequest } from '../adapters/pki/csr.js';
import { parseCertificate } from '../adapters/pki/inspect-certificate.js';
import type { KeyPair } from '../adapters/pki/keys.js';
import { SecretFiles } from '../adapters/secrets/secret-files.js';
import { SimulatedClock } from '../kernel/simulated-clock.js';
import { Authorities } from './authorities.js';
import { loadConfig } from './config/daemon-config.js';
import { ServerCertificates } from './server-certificate.js';

const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const deviceId = deviceIdOf(Buffer.alloc(32, 1));
const defaults = loadConfig({ env: {}, flags: {} });
const lifetimes = { ...defaults.certificates, caLifetimeMs: 60 * 24 * hour };
const config = { ...defaults, certificates: lifetimes };
const device = await preparedKeys.rsa(2048);
const request = await createRequest(device, deviceId);
const pool: KeyPair[] = await Promise.all(Array.from({ length: 8 }, () => preparedKeys.rsa(2048)));

let directory: string;
let clock: SimulatedClock;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'palyra-authorities-'));
  clock = new SimulatedClock(start);
});
afterEach(() => rmSync(directory, { recursive: true }));

/** The CAs as a daemon finds them at its start. Keys are of a pool: making them is slow. */
async function open() {
  let taken = 0;
  const files = await SecretFiles.open(directory, undefined, quiet);
  const keys = { ...preparedKeys, rsa: async () => pool[taken++ % pool.length] ?? preparedKeys.rsa(2048) };
  const options = { directory, files, clock, log: quiet, certificates: lifetimes, keys };
  const authorities = await Authorities.open(options);
  return { authorities, options };
}

const standing = (fingerprints: readonly string[]): Standing => standingOf(firstRecord(fingerprints, start));

/** As after `palyra ca rotate`: the last issues, the one before is trusted. */
function inOverlap([before = '', after = '']: readonly string[]): Standing {
  const rotation = { by: 'operator:ada', reason: '', startedAt: start, endsAt: start + hour };
  return standingOf(rotated(firstRecord([before], start), after, rotation));
}

describe('the CAs on disk', () => {
  it('are made once, and each one more is there after a restart, in order', async () => {
    const { authorities } = await open();
    const [first = ''] = authorities.fingerprints;
    expect((await open()).authorities.fingerprints).toEqual([first]);
    const second = await authorities.make([first]);
    expect(authorities.fingerprints).toEqual([first, second]);
    expect((await open()).authorities.fingerprints).toEqual([first, second]);
  });

  it('are not made again when one is there that came to nothing', async () => {
    const { authorities } = await open();
    const [first = ''] = authorities.fingerprints;
    const second = await authorities.make([first]);
    expect(await authorities.make([first])).toBe(second);
    expect(await authorities.make([first, second])).not.toBe(second);
  });

  it('survive a death between the key and the certificate of a new one, and while one is deleted', async () => {
    const { authorities } = await open();
    const [first = ''] = authorities.fingerprints;
    const before = readFileSync(join(directory, 'ca.crt'));
    const second = await authorities.make([first]);
    const both = readFileSync(join(directory, 'ca.key'));
    writeFileSync(join(directory, 'ca.crt'), before);
    const again = (await open()).authorities;
    expect(again.fingerprints).toEqual([first]);
    const third = await again.make([first]);
    expect(third).not.toBe(second);
    await again.remove(first);
    expect((await open()).authorities.fingerprints).toEqual([third]);
    // Its key is still there when it died in between.
    writeFileSync(join(directory, 'ca.key'), Buffer.concat([both, readFileSync(join(directory, 'ca.key'))]));
    expect((await open()).authorities.fingerprints).toEqual([third]);
  });

  it('are not replaced when a key is missing: every node would be locked out', async () => {
    await open();
    rmSync(join(directory, 'ca.key'));
    await expect(open()).rejects.toMatchObject({
      code: 'pki.invalid_key',
      hint: expect.stringContaining('backup'),
    });
  });
});

describe('what the CAs are used for', () => {
  it('is what the record says: one issues, both are trusted, and then one', async () => {
    const { authorities } = await open();
    const [first = ''] = authorities.fingerprints;
    authorities.apply(standing([first]));
    const old = await authorities.issueDevice(request.der, deviceId);
    const second = await authorities.make([first]);
    // Made is not in use.
    expect((await authorities.issueDevice(request.der, deviceId)).issuer).toBe(first);
    expect(authorities.caCertificates()).toEqual([authorities.get(first).certificatePem]);
    authorities.apply(inOverlap([first, second]));
    const fresh = await authorities.issueDevice(request.der, deviceId);
    expect([old.issuer, fresh.issuer]).toEqual([first, second]);
    const read = ({ pem }: { readonly pem: string }) => authorities.readDevice(parseCertificate(pem).raw);
    expect([read(old)?.deviceId, read(fresh)?.deviceId]).toEqual([deviceId, deviceId]);
    // The newest first: nodes take it for the one to ask for.
    expect(authorities.caCertificates()).toEqual(
      [second, first].map((ca) => authorities.get(ca).certificatePem),
    );
    authorities.apply(standing([first, second]));
    expect([read(old), read(fresh)?.deviceId]).toEqual([undefined, deviceId]);
    expect([authorities.trusts(first), authorities.trusts(second)]).toEqual([false, true]);
  });

  it('proves the daemon by the CA that a machine has pinned, as long as that is trusted', async () => {
    const { authorities } = await open();
    const [first = ''] = authorities.fingerprints;
    const second = await authorities.make([first]);
    const certificateOf = (pinned: string) => authorities.certificateFor(Buffer.from(pinned, 'hex'));
    authorities.apply(inOverlap([first, second]));
    expect(certificateOf(first)).toEqual(authorities.get(first).certificate);
    expect(certificateOf(second)).toEqual(authorities.get(second).certificate);
    // Whoever knows none is shown the one that everybody knows.
    expect(certificateOf('')).toEqual(authorities.get(first).certificate);
    authorities.apply(standing([first, second]));
    expect(certificateOf(first)).toEqual(authorities.get(second).certificate);
  });
});

describe('the certificates of the daemon', () => {
  it('are one of each CA, the first of the one that everybody knows, and the same after a restart', async () => {
    const { authorities, options } = await open();
    const [first = ''] = authorities.fingerprints;
    authorities.apply(standing([first]));
    const certificates = await ServerCertificates.open(authorities, config, options);
    const second = await authorities.make([first]);
    await certificates.renew();
    const cas = () => certificates.current.map(({ ca }) => ca.fingerprint);
    expect(cas()).toEqual([first, second]);
    authorities.apply(inOverlap([first, second]));
    expect(cas()).toEqual([first, second]);
    authorities.apply(standing([first, second]));
    expect(cas()).toEqual([second, first]);
    const pems = certificates.current.map(({ certificatePem }) => certificatePem);
    const next = await open();
    next.authorities.apply(standing([first, second]));
    const again = await ServerCertificates.open(next.authorities, config, next.options);
    expect(again.current.map(({ certificatePem }) => certificatePem)).toEqual(pems);
  });

  it('are renewed at two thirds of their life, and not any more when they end with their CA', async () => {
    const { authorities, options } = await open();
    authorities.apply(standing(authorities.fingerprints));
    const certificates = await ServerCertificates.open(authorities, config, options);
    const due = () => certificates.renewalDue();
    expect(due()).toBe(start + 20 * 24 * hour);
    const pem = certificates.current[0].certificatePem;
    await certificates.renew();
    expect(certificates.current[0].certificatePem).toBe(pem);
    clock.advance(20 * 24 * hour);
    await Promise.all([certificates.renew(), certificates.renew()]);
    expect(certificates.current[0].certificatePem).not.toBe(pem);
    expect(due()).toBe(start + 40 * 24 * hour);
    clock.advance(20 * 24 * hour);
    await certificates.renew();
    expect([certificates.current[0].notAfter, due()]).toEqual([
      authorities.issuing.notAfter,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('are none of a CA that has ended', async () => {
    const { authorities, options } = await open();
    const [first = ''] = authorities.fingerprints;
    clock.advance(30 * 24 * hour);
    const second = await authorities.make([first]);
    clock.advance(31 * 24 * hour);
    authorities.apply(standing([first, second]));
    const certificates = await ServerCertificates.open(authorities, config, options);
    expect(certificates.current.map(({ ca }) => ca.fingerprint)).toEqual([second]);
  });
});
