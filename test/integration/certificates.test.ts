import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseNetworkAddress } from '../../src/actors/identity/network-address.js';
import { LocalDaemon } from '../support/local-daemon.js';
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
    expect(await local.invoke('lab', 'echo', { message: 'back' })).toMatchObject({ state: 'succeeded' });
  }, 60_000);
});
