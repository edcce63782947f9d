import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromStatus, linkError } from '../../src/adapters/grpc/status.js';
import { leaveDaemon } from '../../src/node/departure.js';
import { NodeAttacker, refusal } from '../support/attacker.js';
import { admin, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { LocalNode } from '../support/local-node.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

let local: LocalDaemon;

beforeAll(async () => {
  local = await LocalDaemon.start('dispatch:\n  inFlightPerNode: 1\n');
});
afterAll(() => local.close());

const show = ({ identity }: EnrolledDevice) => local.daemon.control.devices.get(admin, identity.deviceId);

function leave(attacker: NodeAttacker, request: { deviceId?: string; reason?: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    attacker.client.Leave(request, new Metadata(), { deadline: Date.now() + 5_000 }, (error) =>
      error ? reject(fromStatus(error)) : resolve(),
    );
  });
}

describe('a machine that leaves', () => {
  it('is removed with who and why, its session and its work end, and nothing of it gets in again', async () => {
    const device = await local.enrol('leaver');
    const { deviceId } = device.identity;
    const attacker = new NodeAttacker(local, device);
    const stream = await attacker.live();
    await expect.poll(async () => (await show(device)).presence).toBe('online');
    const run = local.invoke('leaver', 'echo', { message: 'x' });
    const queued = local.invoke('leaver', 'echo', { message: 'y' });
    await expect.poll(() => stream.orders.length).toBe(1);

    await leave(attacker, { deviceId, reason: 'sold' });

    expect(await show(device)).toMatchObject({
      trust: 'removed',
      certificates: [],
      approvals: [],
      decisions: [{ action: 'leave', by: `device:${deviceId}`, reason: 'sold' }],
      actions: ['ban', 'lift'],
    });
    await stream.ended;
    expect(stream.frames.at(-1)?.goodbye).toMatchObject({ kind: 'REVOKED', reason: 'sold' });
    expect((await run).state).toBe('outcome_unknown');
    expect(await queued).toMatchObject({ state: 'cancelled', outcome: { reason: 'removed' } });
    const explained = await local.daemon.control.explanations.explain(admin, deviceId);
    expect(JSON.stringify(explained)).toContain(`device:${deviceId}`);

    const over = [attacker, new NodeAttacker(local, device)];
    for (const one of over) {
      expect(await refusal(leave(one, { deviceId }))).toMatchObject({
        code: 'session.revoked',
        message: `Device ${deviceId} is removed: sold`,
      });
      expect(await refusal(one.register())).toMatchObject({ code: 'session.revoked' });
      one.close();
    }
  });

  it('stays out after a restart, by the file of revocations too', async () => {
    const device = await local.enrol('gone');
    const { deviceId } = device.identity;
    const attacker = new NodeAttacker(local, device);
    await leave(attacker, { deviceId, reason: '' });
    attacker.close();
    const lines = readFileSync(join(local.stateDirectory, 'revocations.log'), 'utf8').trim().split('\n');
    expect(lines.at(-1)).toContain(`device:${deviceId}`);
    await local.restart();
    expect((await show(device)).trust).toBe('removed');
  });

  it('is taken out by its own program once the host has stopped, and its keys stay', async () => {
    const node = new LocalNode(local, 'by-hand');
    await node.start(await local.mint());
    await node.report('connected');
    const options = { stateDirectory: node.directory, reason: 'reinstalled', log: silent };
    await expect(leaveDaemon(options)).rejects.toMatchObject({ code: 'state.locked' });
    await node.stop();
    const files = readdirSync(node.directory).sort();
    expect(await leaveDaemon(options)).toEqual({ outcome: 'left', deviceId: node.deviceId });
    expect((await local.daemon.control.devices.get(admin, node.deviceId)).trust).toBe('removed');
    expect(await leaveDaemon(options)).toEqual({ outcome: 'shut out', deviceId: node.deviceId });
    expect(readdirSync(node.directory).sort()).toEqual(files);
    const leave = () => Promise.reject(linkError('unreachable', 'nobody there'));
    expect(await leaveDaemon({ ...options, leave })).toMatchObject({
      outcome: 'not told',
      error: { code: 'link.unreachable' },
    });
  });

  it('takes nobody else out', async () => {
    const [eve, victim] = [await local.enrol('eve'), await local.enrol('victim')];
    const attacker = new NodeAttacker(local, eve);
    for (const deviceId of [victim.identity.deviceId, '', victim.identity.deviceId.toLowerCase()]) {
      expect(await refusal(leave(attacker, { deviceId }))).toMatchObject({
        code: 'session.wrong_device',
        fields: [{ field: 'device_id', message: expect.any(String) }],
      });
    }
    attacker.close();
    expect((await show(victim)).trust).toBe('trusted');
    expect((await show(eve)).trust).toBe('trusted');
  });

  it('says why in a text with an end', async () => {
    const device = await local.enrol('chatty');
    const attacker = new NodeAttacker(local, device);
    const { deviceId } = device.identity;
    expect(await refusal(leave(attacker, { deviceId, reason: 'x'.repeat(501) }))).toMatchObject({
      code: 'session.protocol',
    });
    expect((await show(device)).trust).toBe('trusted');
    attacker.close();
  });

  it('may be gone when another decides at the same time: one of both is written', async () => {
    const device = await local.enrol('raced');
    const { deviceId } = device.identity;
    const attackers = [1, 2, 3].map(() => new NodeAttacker(local, device));
    const outcomes = await Promise.all(
      attackers.map((one) =>
        leave(one, { deviceId, reason: 'r' }).then(
          () => 'left',
          (error) => error.code,
        ),
      ),
    );
    expect(outcomes.filter((one) => one === 'left')).toHaveLength(1);
    for (const one of outcomes) expect(['left', 'session.revoked', 'device.not_possible']).toContain(one);
    expect((await show(device)).decisions).toHaveLength(1);
    for (const one of attackers) one.close();
  });
});
