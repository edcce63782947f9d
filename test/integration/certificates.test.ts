import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseNetworkAddress } from '../../src/actors/identity/network-address.js';
import { admin, LocalDaemon } from '../support/local-daemon.js';
import { LocalNode } from '../support/local-node.js';

/*
 * Real TLS and real time, with certificates that live for 8 seconds. A renewal that comes too late would show as a
 * connection that is lost: there must be none.
 */

const lifetimes = 'certificates: { deviceLifetime: 8s, serverLifetime: 8s }\n';

/** The serial number of the certificate with which a port serves. */
function servedAt(address: string): Promise<string> {
  const { host = '', port = 0 } = parseNetworkAddress(address) ?? {};
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ALPNProtocols: ['h2'], rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Waits until the daemon sees the node, which is a moment after the node has said that it is ready. */
async function online(local: LocalDaemon, node: LocalNode): Promise<void> {
  const presence = async () => (await local.daemon.control.devices.get(admin, node.deviceId)).presence;
  await expect.poll(presence).toBe('online');
}

describe('certificates of a few seconds', () => {
  let local: LocalDaemon;
  let node: LocalNode;
  let release: () => void = () => {};

  beforeAll(async () => {
    local = await LocalDaemon.start(lifetimes);
    node = new LocalNode(local, 'lab', {
      openUrl: () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    });
    await node.start(await local.mint());
    await node.report('connected');
  });
  afterAll(async () => {
    await node.stop();
    await local.close();
  });

  it('are renewed three times by the node and by the daemon, while work goes on', async () => {
    const served = new Set<string>();
    const look = async (): Promise<number> =>
      served.add(await servedAt(local.daemon.addresses.enrollment)).size;
    await look();
    for (let renewals = 1; renewals <= 3; renewals++) {
      // It begins on one stream, with one certificate, and ends on the next.
      const before = node.count('connected');
      const page = local.invoke('lab', 'desktop.open_url', { url: `https://example.com/${renewals}` });
      await node.times('renewed', renewals);
      await node.times('connected', before + 1);
      release();
      expect(await page).toMatchObject({ state: 'succeeded' });
      expect(await local.invoke('lab', 'echo', { message: `after ${renewals}` })).toMatchObject({
        state: 'succeeded',
      });
      await look();
    }
    await expect.poll(look, { timeout: 20_000 }).toBeGreaterThan(3);
    expect(node.count('disconnected')).toBe(0);
    expect(node.count('refused')).toBe(0);
    const open = local.log.filter(({ message }) => message === 'Node connected');
    expect(open).toHaveLength(node.count('connected'));
  }, 90_000);

  it('survive a restart of the node between two renewals', async () => {
    const renewed = node.count('renewed');
    await node.stop();
    const from = node.reports.length;
    await node.start();
    await node.report('connected', from);
    await node.times('renewed', renewed + 1);
    await online(local, node);
    expect(await local.invoke('lab', 'echo', { message: 'back' })).toMatchObject({ state: 'succeeded' });
  }, 60_000);
});

describe('an order to renew', () => {
  let local: LocalDaemon;
  let node: LocalNode;

  beforeAll(async () => {
    local = await LocalDaemon.start();
    node = new LocalNode(local, 'lab');
    await node.start(await local.mint());
    await node.report('connected');
  });
  afterAll(async () => {
    await node.stop();
    await local.close();
  });

  const device = () => local.daemon.control.devices.get(admin, node.deviceId);
  const rotate = () =>
    local.daemon.control.devices.decide(admin, node.deviceId, {
      action: 'rotate',
      reason: 'the key was copied',
    });

  it('is carried out at once by a node that is connected, and nothing is locked out', async () => {
    const [{ fingerprint: before } = {}] = (await device()).certificates;
    expect((await rotate()).rotation).toMatchObject({ by: 'operator:test', reason: 'the key was copied' });
    expect(await node.report('renewing')).toEqual({ event: 'renewing', reason: 'the key was copied' });
    await node.times('connected', 2);
    await expect.poll(async () => (await device()).rotation).toBeUndefined();
    const { certificates, presence } = await device();
    expect(certificates).toMatchObject([{ pending: false }]);
    expect(certificates[0]?.fingerprint).not.toBe(before);
    expect(presence).toBe('online');
    expect(node.count('disconnected')).toBe(0);
  });

  it('waits for a node that is away', async () => {
    const renewed = node.count('renewed');
    await node.stop();
    await rotate();
    expect((await device()).rotation).toBeDefined();
    await node.start();
    await node.times('renewed', renewed + 1);
    await expect.poll(async () => (await device()).rotation).toBeUndefined();
    await online(local, node);
    expect(await local.invoke('lab', 'echo', { message: 'hello' })).toMatchObject({ state: 'succeeded' });
  });
});

describe('a node that was away for longer than its certificate lives', () => {
  const brief = 'certificates: { deviceLifetime: 3s }\n';
  let local: LocalDaemon;
  let node: LocalNode;

  beforeAll(async () => {
    local = await LocalDaemon.start(brief);
    node = new LocalNode(local, 'lab');
    await node.start(await local.mint());
    await node.report('connected');
  });
  afterAll(async () => {
    await node.stop();
    await local.close();
  });

  const device = () => local.daemon.control.devices.get(admin, node.deviceId);
  const returns = async () =>
    (await local.daemon.control.pairings.list(admin, {})).pairings.filter(
      ({ method }) => method === 'return',
    );

  /** Stops the node until its certificate has ended. */
  async function sleepPastTheEnd(): Promise<number> {
    await node.stop();
    await expect.poll(async () => (await device()).trust, { timeout: 10_000 }).toBe('expired');
    return node.reports.length;
  }

  it('says so, comes back by itself once the operator has approved, and completes the pairing', async () => {
    const from = await sleepPastTheEnd();
    await node.start();
    expect(await node.report('certificate_ended', from)).toBeDefined();
    const { pairingId, fingerprintWords } = await node.report('pending_approval', from);
    await node.report('renewed', from);
    await node.report('connected', from);
    await online(local, node);
    expect(await local.invoke('lab', 'echo', { message: 'back' })).toMatchObject({ state: 'succeeded' });
    await expect.poll(returns).toMatchObject([{ id: pairingId, state: 'completed', fingerprintWords }]);
    expect(node.reports.slice(from).filter(({ event }) => event === 'refused')).toEqual([]);
  }, 30_000);

  it('asks nobody where the policy lets it come back', async () => {
    const from = node.reports.length;
    await local.restart(() => {}, `${brief}pairing: { return: allow }\n`);
    await node.report('connected', from);
    const back = await sleepPastTheEnd();
    await node.start();
    await node.report('renewed', back);
    await node.report('connected', back);
    const [latest] = await returns();
    expect(latest?.decision?.by).toBe('system:pairing.return');
    expect(node.reports.slice(back).some(({ event }) => event === 'pending_approval')).toBe(false);
  }, 30_000);
});

describe('a daemon whose database comes from a backup', () => {
  it('takes its nodes back by itself, although it does not know their certificates any more', async () => {
    const local = await LocalDaemon.start();
    const node = new LocalNode(local, 'lab');
    await node.start(await local.mint());
    await node.report('connected');
    const database = join(local.stateDirectory, 'palyra.db');
    let copy = Buffer.alloc(0);
    await local.restart(() => {
      copy = readFileSync(database);
    });
    await node.times('connected', 2);
    const order = { action: 'rotate', reason: '' } as const;
    await local.daemon.control.devices.decide(admin, node.deviceId, order);
    await node.report('renewed');
    await node.times('connected', 3);
    await expect
      .poll(async () => (await local.daemon.control.devices.get(admin, node.deviceId)).certificates.length)
      .toBe(1);

    const from = node.reports.length;
    await local.restart(() => {
      for (const file of [`${database}-wal`, `${database}-shm`]) rmSync(file, { force: true });
      writeFileSync(database, copy, { mode: 0o600 });
    });
    await node.report('renewed', from);
    await node.report('connected', from);
    await online(local, node);
    expect(await local.invoke('lab', 'echo', { message: 'back' })).toMatchObject({ state: 'succeeded' });
    const { pairings } = await local.daemon.control.pairings.list(admin, {});
    expect(pairings[0]).toMatchObject({
      method: 'return',
      decision: { by: 'system:pairing.return', reason: expect.stringContaining('backup') },
    });
    await node.stop();
    await local.close();
  }, 60_000);
});
