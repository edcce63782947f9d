import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPlaneClient } from '../../src/client/index.js';
import { type BundledScript, scriptOnBuild } from '../support/child-program.js';
import { Cluster, type Program } from '../support/cluster.js';

// Real processes over real TLS: the node host that is killed is the program that is shipped.

let dying: BundledScript;
let cluster: Cluster;
let api: ControlPlaneClient;

beforeAll(async () => {
  dying = await scriptOnBuild(new URL('../support/die-at.ts', import.meta.url));
  cluster = new Cluster();
  await cluster.daemon();
  api = cluster.client();
}, 60_000);
afterAll(async () => {
  await cluster.close();
  await dying.remove();
});

/** Starts a node host that dies by kill -9 at a moment, see `die-at.ts`. */
function dyingNode(moment: string, joinString?: string): Program {
  cluster.variables.NODE_OPTIONS = `--import=${dying.path}`;
  cluster.variables.PALYRA_TEST_DIE_AT = moment;
  try {
    return cluster.node(joinString);
  } finally {
    delete cluster.variables.NODE_OPTIONS;
    delete cluster.variables.PALYRA_TEST_DIE_AT;
  }
}

async function killed(node: Program): Promise<void> {
  await node.exited;
  expect(node.child.signalCode).toBe('SIGKILL');
}

async function device() {
  const [found] = (await api.listDevices()).devices;
  if (!found) throw new Error('No device is enrolled');
  return found;
}

describe('a host that is killed when it has stored its certificate and has not confirmed it', () => {
  it('confirms it when it runs again, without anybody, and the pairing is completed', async () => {
    const node = dyingNode('written membership.json', await cluster.mint());
    const { pairingId } = await node.event('pending_approval');
    const id = String(pairingId);
    const approved = await cluster.palyra(['pairings', 'approve', id, '--yes', '--name', 'worker', '--json']);
    expect(approved.code).toBe(0);
    await killed(node);
    expect((await api.getPairing(id)).state).toBe('approved');
    const again = cluster.node();
    await again.event('connected');
    await expect.poll(async () => (await api.getPairing(id)).state).toBe('completed');
    await again.kill('SIGTERM');
  }, 60_000);
});

describe('a node that is killed in the middle of a renewal', () => {
  it.each([
    ['when the fresh key is on its disk, and its request is not', 'writing request.json'],
    ['when the request is on its disk, and not sent', 'written request.json'],
    ['when the daemon has issued the next one, and the node has not heard it', 'answered RenewCertificate'],
    ['when it has the next one, and not on its disk', 'writing membership.json'],
    ['when the next one is on its disk, and has never been used', 'written membership.json'],
    [
      'when the next one has been used, and the one before is about to be deleted',
      'writing membership.json 2',
    ],
    ['when the one before has just been deleted, and its key has not', 'written membership.json 2'],
  ])(
    'goes on by itself %s',
    async (_when, moment) => {
      const node = dyingNode(moment);
      await node.event('connected');
      const { deviceId, certificates: before } = await device();
      await api.rotateDevice(deviceId, { reason: 'test' });
      await killed(node);

      const again = cluster.node();
      await again.event('connected');
      await expect
        .poll(async () => {
          const { certificates, rotation, presence } = await device();
          return { pending: certificates.map(({ pending }) => pending), rotation, presence };
        })
        .toEqual({ pending: [false], rotation: undefined, presence: 'online' });
      const [now] = (await device()).certificates;
      expect(before.map(({ fingerprint }) => fingerprint)).not.toContain(now?.fingerprint);
      // One certificate is left on its side too, with its key and nothing else.
      const kept = () =>
        readdirSync(join(cluster.directory, 'node')).filter((name) => /^(tls|request)/.test(name));
      await expect.poll(kept).toEqual([expect.stringMatching(/^tls-[0-9a-f]{16}\.key$/)]);
      const echo = { node: 'worker', capability: 'echo', input: { message: 'there' }, wait: true };
      expect(await api.createDispatch(echo)).toMatchObject({ state: 'succeeded' });
      // Nobody had to help.
      const asked = again.messages.filter(({ event }) => event === 'pending_approval' || event === 'refused');
      expect(asked).toEqual([]);
      expect((await api.listPairings()).pairings.filter(({ method }) => method === 'return')).toEqual([]);
      await again.kill('SIGTERM');
    },
    60_000,
  );
});
