import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/kernel/clock.js';
import { NodeAttacker } from '../support/attacker.js';
import { type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';

let local: LocalDaemon;
let mallory: EnrolledDevice;
let ahead = 0;

beforeAll(async () => {
  const monotonic = () => systemClock.monotonic() + ahead;
  // Timers look at the clock often, so that they notice when it is moved.
  const setTimeout: typeof systemClock.setTimeout = (run, ms) =>
    systemClock.setTimeout(run, Math.min(ms, 50));
  local = await LocalDaemon.start('', { ...systemClock, monotonic, setTimeout });
  mallory = await local.enrol('mallory');
});
afterAll(() => local.close());

const refusals = (text: string) =>
  local.log.filter(({ fields }) => String(fields.detail).includes(text)).length;

describe('the ports', () => {
  it('let one address hold 256 connections to the enrolment port, and take it again when they are gone', async () => {
    const [host = '', port] = local.daemon.addresses.enrollment.split(':');
    const sockets: Socket[] = [];
    for (let i = 0; i < 300; i++) {
      const socket = connectTcp({ host, port: Number(port) });
      socket.on('error', () => {});
      sockets.push(socket);
    }
    await expect.poll(() => refusals('connections of this address')).toBe(1);
    await expect.poll(() => sockets.filter((socket) => socket.destroyed).length).toBeGreaterThanOrEqual(44);
    const gone = sockets.filter((socket) => !socket.destroyed).map((socket) => once(socket, 'close'));
    for (const socket of sockets) socket.destroy();
    await Promise.all(gone);
    await expect.poll(() => local.enrol('after').then(({ membership }) => membership.name)).toBe('after');
  });

  it('run sixteen calls of a connection at a time: the others wait at the caller', async () => {
    const attacker = new NodeAttacker(local, mallory);
    const silent = Array.from({ length: 16 }, () => attacker.stream());
    await expect(attacker.register(500)).rejects.toMatchObject({ code: 'link.unreachable' });
    silent[0]?.cancel();
    expect(await attacker.register()).toBeGreaterThan(0);
    attacker.close();
  });

  it('end a stream that does not say Hello within ten seconds', async () => {
    const attacker = new NodeAttacker(local, mallory);
    const silent = attacker.stream();
    await attacker.register();
    ahead = 10_001;
    expect(await silent.ended).toMatchObject({ message: 'The stream was opened without Hello' });
    attacker.close();
  });

  it.each([
    ['128 headers', 150, 10],
    ['a megabyte of them', 1, 1_000_000],
  ])('take a call with more than %s as none, and go on', async (_what, count, bytes) => {
    const attacker = new NodeAttacker(local, mallory);
    const metadata = new Metadata();
    for (let i = 0; i < count; i++) metadata.add(`k${i}`, 'v'.repeat(bytes));
    const error = await new Promise<ServiceError | null>((resolve) =>
      attacker.client.Challenge({}, metadata, { deadline: Date.now() + 5_000 }, resolve),
    );
    expect([status.RESOURCE_EXHAUSTED, status.INTERNAL]).toContain(error?.code);
    expect(await attacker.register()).toBeGreaterThan(0);
    attacker.close();
  });
});
