import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ControlPlaneClient } from '../../src/client/control-plane-client.js';
import { Cluster } from '../support/cluster.js';
import { admin, LocalDaemon } from '../support/local-daemon.js';
import { RawNode } from '../support/raw-node.js';

/*
 * A palyrad that is killed with SIGKILL while a fan-out goes on. What it asks for may not run twice; its nodes are away, so that
 * what is queued for each of them says how often it was asked of it.
 */

const names = ['web-1', 'web-2', 'web-3', 'web-4'] as const;
let local: LocalDaemon;
let cluster: Cluster;

beforeAll(async () => {
  local = await LocalDaemon.start();
  for (const name of names) {
    const node = await RawNode.connect(local, await local.enrol(name));
    await vi.waitFor(async () => {
      const all = await local.daemon.control.inventory.list(admin);
      expect(all.find((one) => one.name === name)?.capabilities.length).toBeGreaterThan(0);
    });
    node.close();
  }
  await local.daemon.stop('Its state is taken over by a process');
  cluster = new Cluster();
  cpSync(local.stateDirectory, join(cluster.directory, 'daemon'), { recursive: true });
});
afterAll(async () => {
  await cluster.close();
  await local.close();
});

async function dispatchesOf(client: ControlPlaneClient): Promise<readonly (readonly [string, string])[]> {
  const { dispatches } = await client.listDispatches({ limit: 100 });
  return dispatches.map(({ deviceId, id }) => [deviceId, id] as const);
}

it('makes one dispatch for each target, however often palyrad is killed meanwhile', async () => {
  let program = await cluster.daemon();
  let client = cluster.client();
  const { id } = await client.fanouts.create({
    selector: 'name:web-*',
    capability: 'desktop.open_url',
    input: { url: 'https://example.com/' },
    queue: true,
    batch: 2,
  });
  const seen = new Map<string, string>();
  for (let made = 1; made <= names.length; made += 1) {
    await vi.waitFor(async () => expect((await dispatchesOf(client)).length).toBeGreaterThanOrEqual(made), {
      timeout: 10_000,
    });
    await program.kill('SIGKILL');
    program = await cluster.daemon();
    client = cluster.client();
    const all = await dispatchesOf(client);
    for (const [deviceId, dispatchId] of all) {
      expect(seen.get(deviceId) ?? dispatchId).toBe(dispatchId);
      seen.set(deviceId, dispatchId);
    }
    expect(new Set(all.map(([deviceId]) => deviceId)).size).toBe(all.length);
    // Makes room for the next.
    const { dispatches } = await client.listDispatches({ state: ['queued'], limit: 100 });
    const [first] = dispatches;
    if (first !== undefined && made < names.length) await client.cancelDispatch(first.id, 'makes room');
  }
  await client.fanouts.cancel(id, 'enough');
  const ended = await vi.waitFor(
    async () => {
      const fanout = await client.fanouts.get(id);
      expect(fanout.state).toBe('cancelled');
      return fanout;
    },
    { timeout: 10_000 },
  );
  const made = new Map(await dispatchesOf(client));
  expect(made.size).toBe(names.length);
  expect(ended.members.map(({ dispatchId }) => dispatchId)).toEqual(
    ended.members.map(({ deviceId }) => made.get(deviceId)),
  );
  expect(ended.counts).toEqual({ cancelled: names.length });
});
