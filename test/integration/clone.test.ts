import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlaneClient } from '../../src/client/index.js';
import type { Device } from '../../src/contract/device.js';
import { Cluster, type Message, type Program } from '../support/cluster.js';

// Real processes: palyrad, a node host, and a second host that runs from a copy of its state directory.

let cluster: Cluster;
let api: ControlPlaneClient;
let original: Program;
let copy: Program;

const stateOf = (name: string): string => join(cluster.directory, name);
/** A host that runs from a copy, and asks for a session like any other. */
/** Copies the node's state to a folder of that name, but for the socket of the host that runs. */
function copyState(name: string): void {
  cpSync(stateOf('node'), stateOf(name), { recursive: true, filter: (path) => !path.endsWith('.sock') });
}

const hostOf = (name: string): Program => cluster.node(undefined, ['--state-dir', stateOf(name)]);

beforeAll(async () => {
  cluster = new Cluster();
  await cluster.daemon();
  api = cluster.client();
  original = await cluster.pairedNode('worker');
}, 60_000);
afterAll(() => cluster.close());

async function device(): Promise<Device> {
  const [found] = (await api.listDevices()).devices;
  if (!found) throw new Error('There is no device');
  return found;
}

async function decide(action: string, reason: string, ...more: string[]): Promise<string> {
  const args = ['devices', 'clone', 'worker', action, '--reason', reason, '--yes', ...more];
  const { code, stdout, stderr } = await cluster.palyra(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** Runs something on the device, and says whether the host did it that is meant. */
async function runsOn(host: Program): Promise<boolean> {
  const from = host.messages.length;
  const run = await cluster.palyra(['invoke', 'worker', 'echo', '--input', '{"message":"hi"}', '--json']);
  expect(run.code).toBe(0);
  const { id } = run.json<{ id: string }>();
  await host.message(({ event, dispatchId }) => event === 'ran' && dispatchId === id, from);
  return true;
}

const code = ({ error }: Message) => (error as { readonly code?: string } | undefined)?.code;

it('a copy of a running node waits, while that goes on undisturbed and the operator sees both', async () => {
  copyState('before');
  copyState('copy');
  const epoch = (await device()).epoch;
  copy = hostOf('copy');
  const waits = await copy.message((message) => code(message) === 'session.clone_waiting');
  expect(waits).toMatchObject({
    event: 'disconnected',
    error: { retryable: true, hint: expect.stringContaining('palyra devices clone worker') },
  });
  expect(Number(waits.retryInMs)).toBeLessThanOrEqual(1_000);
  // It comes again by itself, and less and less often.
  await copy.message(
    (message) => code(message) === 'session.clone_waiting',
    copy.messages.indexOf(waits) + 1,
  );
  const { alerts } = (await api.inventory()).devices[0] ?? {};
  expect(alerts).toMatchObject([
    { code: 'clone', message: expect.stringContaining('waits for your decision') },
  ]);
  const shown = await cluster.palyra(['devices', 'show', 'worker']);
  expect(shown.stdout).toMatch(
    /Other hosts +cl_\w+ +\S+ at 127\.0\.0\.1 waits for your decision\. It came beside it/,
  );
  expect(await device()).toMatchObject({
    presence: 'online',
    clones: [{ kind: 'two_hosts', state: 'waiting' }],
  });
  expect(original.messages.some(({ event }) => event === 'disconnected')).toBe(false);
  expect((await device()).epoch).toBeGreaterThan(epoch);
  expect(await runsOn(original)).toBe(true);
}, 60_000);

it('rejected, it stays out, now and after a restart, and the original goes on', async () => {
  const from = original.messages.length;
  expect(await decide('reject', 'a copy of its disk')).toContain('is turned away');
  await original.event('connected', from);
  const refused = await copy.event('refused');
  expect(refused).toMatchObject({
    error: {
      code: 'session.clone_rejected',
      message: 'An operator turned this host away: a copy of its disk',
      hint: expect.stringContaining('pair it as a machine of its own'),
    },
    retryInMs: 3_600_000,
  });
  await copy.kill('SIGKILL');
  copy = hostOf('copy');
  expect(code(await copy.event('refused'))).toBe('session.clone_rejected');
  expect((await api.inventory()).devices[0]?.alerts).toEqual([]);
  expect(await runsOn(original)).toBe(true);
}, 60_000);

it('put in the place of the original, it is the device, and the original stays out', async () => {
  const [clone] = (await device()).clones;
  const from = original.messages.length;
  expect(await decide('replace', 'new hardware', '--clone', clone?.id ?? '')).toContain('becomes the device');
  expect(code(await original.event('refused', from))).toBe('session.clone_rejected');
  await copy.kill('SIGTERM');
  copy = hostOf('copy');
  await copy.event('connected');
  expect(await runsOn(copy)).toBe(true);
  expect((await device()).clones.map(({ state }) => state)).toEqual(['replaced', 'rejected']);
  await original.kill('SIGTERM');
  original = cluster.node();
  expect(code(await original.event('refused'))).toBe('session.clone_rejected');
  await original.kill('SIGTERM');
}, 60_000);

it('a disk of the past that comes while nobody else is there is let in with an alarm, and is settled when it is allowed', async () => {
  await copy.kill('SIGTERM');
  const restored = hostOf('before');
  await restored.event('connected');
  const { alerts } = (await api.inventory()).devices[0] ?? {};
  expect(alerts).toMatchObject([{ code: 'clone', message: expect.stringContaining('a restored copy') }]);
  expect(await decide('allow', 'restored from a backup')).toContain('is the device');
  expect((await api.inventory()).devices[0]?.alerts).toEqual([]);
  expect(await runsOn(restored)).toBe(true);
  expect((await device()).clones.at(-1)).toMatchObject({
    state: 'allowed',
    kind: 'older_state',
    decision: { action: 'allow', by: 'operator:local', reason: 'restored from a backup' },
  });
  const late = hostOf('copy');
  await late.message((message) => code(message) === 'session.clone_waiting');
}, 60_000);
