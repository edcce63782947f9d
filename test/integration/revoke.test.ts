import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlaneClient } from '../../src/client/index.js';
import { type BundledScript, scriptOnBuild } from '../support/child-program.js';
import { Cluster, type Program } from '../support/cluster.js';
import { writeWaitingPlugin } from '../support/waiting-plugin.js';

// Real processes: palyrad, a node host, and the operator's commands.

let nodeChild: BundledScript;
let revokeAndDie: BundledScript;
let cluster: Cluster;
let api: ControlPlaneClient;
let node: Program;
let daemon: Program;
let plugins: string;
let diary: string;
const ids: string[] = [];

beforeAll(async () => {
  nodeChild = await scriptOnBuild(new URL('../support/node-child.ts', import.meta.url));
  revokeAndDie = await scriptOnBuild(new URL('../support/revoke-and-die.ts', import.meta.url));
  cluster = new Cluster({ PALYRA_PLUGINS_ENABLED: 'lab', PALYRA_DISPATCH_IN_FLIGHT_PER_NODE: '2' });
  plugins = join(cluster.directory, 'plugins');
  diary = join(cluster.directory, 'diary');
  mkdirSync(plugins);
  writeWaitingPlugin(plugins);
  writeFileSync(diary, '');
  daemon = await cluster.daemon();
  api = cluster.client();
  node = await cluster.approve(startNode(await cluster.mint()), 'worker');
}, 60_000);
afterAll(async () => {
  await cluster.close();
  await Promise.all([nodeChild.remove(), revokeAndDie.remove()]);
});

function startNode(...joinString: string[]): Program {
  return cluster.run(nodeChild.path, [join(cluster.directory, 'node'), plugins, ...joinString]);
}

function written(word: 'started' | 'stopped'): number {
  return readFileSync(diary, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(word)).length;
}

async function dispatch(id: string): Promise<void> {
  const created = await api.createDispatch({
    node: 'worker',
    capability: 'lab.wait',
    input: { file: diary, id },
  });
  ids.push(created.id);
}

/** How a call of an operator's command ended. */
async function command(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.palyra(['devices', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

it('revoke ends stream, handlers and work of a node within a second', async () => {
  for (const id of ['a', 'b', 'c', 'd']) await dispatch(id);
  await expect.poll(() => written('started'), { timeout: 10_000 }).toBe(2);
  await expect.poll(async () => (await api.listDispatches({ state: ['running'] })).dispatches.length).toBe(2);
  const [device] = (await api.listDevices()).devices;
  const started = performance.now();
  const since = (): number => Math.round(performance.now() - started);
  const refused = node.event('refused').then((message) => ({ message, after: since() }));
  const answered = api.revokeDevice(device?.deviceId ?? '', { reason: 'laptop lost' }).then(since);
  const stopped = (async () => {
    while (written('stopped') < 2) await new Promise((resolve) => setImmediate(resolve));
    return since();
  })();
  const ended = (async () => {
    while ((await api.listDispatches({ state: ['queued', 'dispatched', 'running'] })).dispatches.length > 0);
    return since();
  })();
  const { message, after } = await refused;
  const figures = {
    answered: await answered,
    'stream closed at the node': after,
    'work ended': await ended,
    'handlers stopped': await stopped,
  };
  console.log(`revoke, milliseconds after the operator asked: ${JSON.stringify(figures)}`);
  for (const figure of Object.values(figures)) expect(figure).toBeLessThan(1_000);
  expect(message).toMatchObject({
    error: { code: 'session.revoked', message: expect.stringContaining('laptop lost') },
    retryInMs: 3_600_000,
  });
  const all = await Promise.all(ids.map((id) => api.getDispatch(id)));
  expect(all.map(({ state, outcome }) => [state, outcome?.reason])).toEqual([
    ['outcome_unknown', 'revoked'],
    ['outcome_unknown', 'revoked'],
    ['cancelled', 'revoked'],
    ['cancelled', 'revoked'],
  ]);
  expect(all[0]?.steps.at(-1)).toMatchObject({
    to: 'outcome_unknown',
    by: 'operator:local',
    note: 'revoked',
  });
  expect(all[3]?.outcome?.started).toBe(false);
  expect([written('started'), written('stopped')]).toEqual([2, 2]);
}, 30_000);

it('what is asked of it from then on is refused, and so is it: at its first call, with the reason, and it keeps its keys', async () => {
  const refusedRun = await cluster.palyra(['invoke', 'worker', 'lab.wait', '--input', '{}', '--queue']);
  expect(refusedRun.code).toBe(5);
  expect(refusedRun.stderr).toContain('palyra devices lift worker');
  await node.kill('SIGTERM');
  node = startNode();
  const refused = await node.event('refused');
  expect(refused).toMatchObject({
    error: {
      code: 'session.revoked',
      message: expect.stringMatching(/^Device \w{56} is revoked: laptop lost$/),
      hint: expect.stringContaining('palyra devices lift worker'),
    },
    retryInMs: 3_600_000,
  });
  expect(node.messages.some(({ event }) => event === 'connected')).toBe(false);
  for (const file of ['identity.key', 'tls.key', 'membership.json']) {
    expect(existsSync(join(cluster.directory, 'node', file))).toBe(true);
  }
});

it('has another name at once, unless it has changed since it was looked at', async () => {
  const [device] = (await api.listDevices()).devices;
  const version = device?.version ?? 0;
  const rename = (name: string, at: number) =>
    cluster.palyra(['devices', 'rename', 'worker', name, '--if-version', String(at)]);
  const late = await rename('bench', version - 1);
  expect(late.code).toBe(6);
  expect(late.stderr).toContain(`is at version ${version}, not ${version - 1}`);
  expect(await rename('bench', version)).toMatchObject({ code: 0, stdout: 'worker is bench from now on.\n' });
  const back = ['devices', 'rename', 'bench', 'worker', '--reason', 'it was better'];
  expect((await cluster.palyra(back)).code).toBe(0);
});

it('after a lift it comes back with the certificate that it has, and says how the work ended', async () => {
  expect(await command('show', 'worker')).toMatch(/History +revoked by operator:local, .*: laptop lost/);
  expect(await command('lift', 'worker', '--reason', 'found', '--yes')).toContain('Lifted');
  await node.kill('SIGTERM');
  node = startNode();
  await node.event('connected');
  await expect
    .poll(async () => (await api.getDispatch(ids[0] ?? '')).resolution, { timeout: 10_000 })
    .toMatchObject({ state: 'cancelled', started: true });
  expect((await api.getDispatch(ids[0] ?? '')).state).toBe('outcome_unknown');
});

it('remove hides it and keeps its id: neither its certificate nor a new pairing lets it in, before a lift', async () => {
  const [device] = (await api.listDevices()).devices;
  expect(await command('remove', 'worker', '--reason', 'scrapped', '--yes')).toContain('Removed');
  expect(await node.event('refused')).toMatchObject({ error: { code: 'session.revoked' } });
  expect((await api.inventory()).devices).toEqual([]);
  expect(await command('list')).toContain('no such device');
  expect(await command('list', '--all')).toContain('removed');
  await node.kill('SIGTERM');
  const again = startNode(await cluster.mint());
  expect(await again.exited).toBe(1);
  expect(again.stderr).toContain('is removed: scrapped');
  expect(await command('lift', device?.deviceId ?? '', '--reason', 'back', '--yes')).toContain('palyra pair');
  node = await cluster.approve(startNode(await cluster.mint()), 'worker');
  expect((await api.listDevices()).devices).toMatchObject([{ name: 'worker', trust: 'trusted' }]);
}, 60_000);

it('a daemon that dies between the file and the database has revoked the device when it is back', async () => {
  const [device] = (await api.listDevices()).devices;
  const deviceId = device?.deviceId ?? '';
  const state = join(cluster.directory, 'daemon');
  await daemon.kill('SIGTERM');
  const child = cluster.run(revokeAndDie.path, [state, deviceId]);
  expect(await child.exited).toBe(null);
  expect(child.child.signalCode).toBe('SIGKILL');
  expect(child.messages).toEqual([{ event: 'was', state: 'trusted' }]);
  const from = node.messages.length;
  daemon = await cluster.daemon();
  expect(daemon.stderr).toContain('The file of revocations bars a device that the database did not');
  api = cluster.client();
  expect(await api.getDevice(deviceId)).toMatchObject({
    trust: 'revoked',
    decisions: expect.arrayContaining([
      { action: 'revoke', by: 'operator:ada', at: expect.any(String), reason: 'just in time' },
    ]),
  });
  expect(await node.event('refused', from)).toMatchObject({
    // By the node port, or by the enrolment port, which a node asks that could not connect for a while.
    error: {
      code: expect.stringMatching(/^(session\.revoked|pairing\.device_barred)$/),
      message: expect.stringContaining('just in time'),
    },
  });
}, 60_000);

it('a damaged file stops the start, loudly, and is left as it is', async () => {
  const file = join(cluster.directory, 'daemon', 'revocations.log');
  await daemon.kill('SIGTERM');
  const whole = readFileSync(file, 'utf8');
  const damaged = whole.replace('laptop lost', 'laptop LOST');
  writeFileSync(file, damaged);
  await expect(cluster.daemon()).rejects.toThrow(/revocations\.log is damaged: line 1/);
  expect(readFileSync(file, 'utf8')).toBe(damaged);
  writeFileSync(file, `${whole}{"deviceId":"torn`);
  daemon = await cluster.daemon();
  expect(daemon.stderr).toContain('never written to its end');
  expect(readFileSync(file, 'utf8')).toBe(whole);
}, 60_000);
