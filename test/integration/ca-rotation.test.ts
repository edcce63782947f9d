import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RotateAuthority } from '../../src/actors/authority/view.js';
import type { DeviceId } from '../../src/actors/identity/device-id.js';
import { parseJoinString } from '../../src/actors/identity/join-string.js';
import { caServerName } from '../../src/adapters/grpc/ca-name.js';
import { loadCa } from '../../src/adapters/pki/certificate-authority.js';
import { createRequest } from '../../src/adapters/pki/csr.js';
import { privateKeyFromPem, privateKeyToPem } from '../../src/adapters/pki/keys.js';
import { systemClock } from '../../src/kernel/clock.js';
import { Secret } from '../../src/kernel/secret.js';
import { admin, LocalDaemon } from '../support/local-daemon.js';
import { LocalNode } from '../support/local-node.js';
import { preparedKeys } from '../support/prepared-keys.js';

let local: LocalDaemon;
const nodes: LocalNode[] = [];
beforeEach(async () => {
  local = await LocalDaemon.start();
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  await local.close();
});

async function paired(name: string, joinString?: string): Promise<LocalNode> {
  const node = new LocalNode(local, name);
  nodes.push(node);
  await node.start(joinString ?? (await local.mint()));
  await node.report('connected');
  return node;
}

const show = () => local.daemon.control.authority.show(admin);
const states = async () => (await show()).cas.map(({ state }) => state);
const rotate = (options: Partial<RotateAuthority> = {}) =>
  local.daemon.control.authority.rotate(admin, { reason: 'it is time', ...options });
const device = (node: LocalNode) => local.daemon.control.devices.get(admin, node.deviceId);
const order = (node: LocalNode) =>
  local.daemon.control.devices.decide(admin, node.deviceId, { action: 'rotate', reason: '' });

async function works(node: LocalNode, name: string): Promise<void> {
  await expect.poll(async () => (await device(node)).presence).toBe('online');
  expect(await local.invoke(name, 'echo', { message: 'hello' })).toMatchObject({ state: 'succeeded' });
}

/** The certificate of the CA that a node's certificate is of. */
const issuerOf = async (node: LocalNode) => (await device(node)).certificates.at(-1)?.issuer;

describe('palyra ca rotate', () => {
  it('moves every node to the new CA without a break, and then retires the old one', async () => {
    const [lab, build] = [await paired('lab'), await paired('build')];
    const { cas, rotation } = await rotate({ now: true });
    expect(cas.map(({ state }) => state)).toEqual(['trusted', 'issuing']);
    expect(rotation).toMatchObject({ by: 'operator:test', reason: 'it is time' });
    await expect.poll(states, { timeout: 20_000 }).toEqual(['retired', 'issuing']);
    expect((await show()).rotation).toBeUndefined();
    for (const [node, name] of [
      [lab, 'lab'],
      [build, 'build'],
    ] as const) {
      await works(node, name);
      expect(await issuerOf(node)).toBe(cas[1]?.fingerprint);
      expect([node.count('disconnected'), node.count('renewed')]).toEqual([0, 1]);
    }
  }, 60_000);

  it('waits for a node that is away, names it, and lets both in meanwhile', async () => {
    const [lab, build] = [await paired('lab'), await paired('build')];
    await build.stop();
    await rotate({ now: true });
    await expect.poll(async () => (await show()).rotation?.behindNames).toEqual(['build']);
    await works(lab, 'lab');
    // The other one is let in by its old certificate, which is then replaced.
    const from = build.reports.length;
    await build.start();
    await build.report('renewed', from);
    await expect.poll(states, { timeout: 20_000 }).toEqual(['retired', 'issuing']);
    await works(build, 'build');
    expect(build.reports.slice(from).some(({ event }) => event === 'refused')).toBe(false);
  }, 60_000);

  it('lets machines join by what was minted before, and by what is minted after it', async () => {
    const before = await local.mint();
    const away = await paired('away');
    await away.stop();
    const [old, next] = (await rotate()).cas.map(({ fingerprint }) => fingerprint);
    const after = await local.mint();
    const pinned = [before, after].map((text) => Buffer.from(parseJoinString(text).caSha256).toString('hex'));
    expect(pinned).toEqual([old, next]);
    for (const [name, joinString] of [
      ['early', before],
      ['late', after],
    ] as const) {
      const node = await paired(name, joinString);
      await works(node, name);
      expect(await issuerOf(node)).toBe(next);
    }
    const { identity, membership } = await local.enrolByPin('typed');
    expect(membership.caCertificates).toHaveLength(2);
    expect(identity.deviceId).toBeDefined();
    expect(await states()).toEqual(['trusted', 'issuing']);
  }, 60_000);

  it('goes on over restarts of the daemon', async () => {
    const lab = await paired('lab');
    const { rotation } = await rotate();
    await local.restart();
    await lab.times('connected', 2);
    expect((await show()).rotation).toEqual(rotation);
    expect(await states()).toEqual(['trusted', 'issuing']);
    await works(lab, 'lab');
    await order(lab);
    await expect.poll(states, { timeout: 20_000 }).toEqual(['retired', 'issuing']);
    await local.restart();
    await lab.times('connected', 4);
    await works(lab, 'lab');
    expect(await states()).toEqual(['retired', 'issuing']);
  }, 60_000);
});

describe('a node that was away for the whole overlap', () => {
  it('recognises the daemon by the old CA, and comes back by itself', async () => {
    const lab = await paired('lab');
    await lab.stop();
    const [, next] = (await rotate({ overlapMs: 1_000 })).cas;
    await expect.poll(states, { timeout: 10_000 }).toEqual(['retired', 'issuing']);
    const from = lab.reports.length;
    await lab.start();
    await lab.report('renewed', from);
    await lab.report('connected', from);
    await works(lab, 'lab');
    expect(await issuerOf(lab)).toBe(next?.fingerprint);
    const { pairings } = await local.daemon.control.pairings.list(admin, {});
    expect(pairings[0]).toMatchObject({
      method: 'return',
      decision: { by: 'system:pairing.return', reason: expect.stringContaining('replaced') },
    });
  }, 60_000);

  it('has to pair again when that CA was forgotten', async () => {
    const lab = await paired('lab');
    await lab.stop();
    const [old] = (await rotate({ overlapMs: 1_000 })).cas;
    await expect.poll(states, { timeout: 10_000 }).toEqual(['retired', 'issuing']);
    const { cas } = await local.daemon.control.authority.forget(admin, old?.fingerprint ?? '', 'it is lost');
    expect(cas.map(({ state }) => state)).toEqual(['issuing']);
    await local.restart();
    expect(await states()).toEqual(['issuing']);
    const from = lab.reports.length;
    await lab.start();
    const { error } = await lab.report('disconnected', from);
    expect(error).toMatchObject({
      code: 'link.tls_refused',
      hint: expect.stringContaining('another daemon'),
    });
    expect(lab.reports.slice(from).some(({ event }) => event === 'connected')).toBe(false);
  }, 60_000);
});

it('who has the key of a retired CA gets in with nothing that he issues', async () => {
  const lab = await paired('lab');
  const [keyPem, certificatePem] = ['ca.key', 'ca.crt'].map((file) =>
    readFileSync(join(local.stateDirectory, file), 'utf8'),
  ) as [string, string];
  const stolen = loadCa({
    clock: systemClock,
    certificatePem,
    privateKey: privateKeyFromPem(new Secret(keyPem)),
  });
  const keys = await preparedKeys.rsa(2048);
  const deviceId = lab.deviceId as DeviceId;
  const forged = await stolen.issueDevice((await createRequest(keys, deviceId)).der, deviceId);
  /** How a connection with the forged certificate ends: `in` is past the handshake. */
  const attempt = (): Promise<string> =>
    new Promise((resolve) => {
      const session = connect(`https://${local.daemon.addresses.node}`, {
        ca: certificatePem,
        servername: caServerName(stolen.fingerprint),
        checkServerIdentity: () => undefined,
        cert: forged.pem,
        key: privateKeyToPem(keys.privateKey).reveal(),
      });
      session.once('remoteSettings', () => {
        resolve('in');
        session.destroy();
      });
      session.on('error', () => {});
      session.once('close', () => resolve('out'));
    });
  const refusals = () => local.log.map(({ fields: { reason } }) => reason);
  expect(await attempt()).toBe('in');
  expect(refusals()).not.toContain('untrusted_certificate');
  await rotate({ now: true });
  await expect.poll(states, { timeout: 20_000 }).toEqual(['retired', 'issuing']);
  expect(await attempt()).toBe('out');
  expect(refusals()).toContain('untrusted_certificate');
  await works(lab, 'lab');
}, 60_000);

it('a database of before a rotation finds the CAs of after it, and nobody is locked out', async () => {
  const lab = await paired('lab');
  const database = join(local.stateDirectory, 'palyra.db');
  let copy = Buffer.alloc(0);
  await local.restart(() => {
    copy = readFileSync(database);
  });
  await lab.times('connected', 2);
  await rotate({ now: true });
  await expect.poll(states, { timeout: 20_000 }).toEqual(['retired', 'issuing']);
  const from = lab.reports.length;
  await local.restart(() => {
    for (const file of [`${database}-wal`, `${database}-shm`]) rmSync(file, { force: true });
    writeFileSync(database, copy, { mode: 0o600 });
  });
  expect(await states()).toEqual(['trusted', 'issuing']);
  await lab.report('renewed', from);
  await lab.report('connected', from);
  await works(lab, 'lab');
  await expect.poll(states, { timeout: 20_000 }).toEqual(['retired', 'issuing']);
}, 60_000);
