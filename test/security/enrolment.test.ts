import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJoinString } from '../../src/actors/identity/join-string.js';
import { privateDirectory } from '../../src/adapters/os/private-directory.js';
import { SecretFiles } from '../../src/adapters/secrets/secret-files.js';
import { systemClock } from '../../src/kernel/clock.js';
import { IdentityStore } from '../../src/node/identity-store.js';
import { EnrolmentAttacker, refusal } from '../support/attacker.js';
import { admin, bundledAnnouncement, LocalDaemon } from '../support/local-daemon.js';
import { LocalNode } from '../support/local-node.js';
import { preparedKeys } from '../support/prepared-keys.js';

let local: LocalDaemon;
beforeAll(async () => {
  local = await LocalDaemon.start();
});
afterAll(() => local.close());

describe('enrolment over real TLS', () => {
  it('refuses a join string whose time is over', async () => {
    let ahead = 0;
    const clock = {
      ...systemClock,
      now: () => systemClock.now() + ahead,
      monotonic: () => systemClock.monotonic() + ahead,
    };
    const later = await LocalDaemon.start('', clock);
    try {
      const joinString = await later.mint(60_000);
      ahead = 60_001;
      const error = await refusal(later.enrol('late', joinString));
      expect(error).toMatchObject({ code: 'pairing.code_refused', category: 'forbidden' });
    } finally {
      await later.close();
    }
  });

  it('refuses a join string that another machine has used, and alerts on its device', async () => {
    const joinString = await local.mint();
    await local.enrol('first', joinString);
    const error = await refusal(local.enrol('second', joinString));
    expect(error).toMatchObject({ code: 'pairing.code_refused', category: 'forbidden' });
    expect(error.hint).toContain('palyra pair');
    const listed = await local.daemon.control.inventory.list(admin);
    const first = listed.find((one) => one.name === 'first');
    expect(first?.alerts.map((alert) => alert.code)).toEqual(['join_string_reused']);
  });

  it('alerts the operator on the pending request when a second machine tries its join string', async () => {
    const joinString = await local.mint();
    const { pairings } = local.daemon.control;
    const { store, identity } = await local.identity('waiting');
    const over = new AbortController();
    const waiting = local.enrolWith(store, identity, 'waiting', joinString, 'hold', over.signal);
    const ofWaiting = async () =>
      (await pairings.list(admin, {})).pairings.find((one) => one.deviceId === identity.deviceId);
    await expect.poll(async () => (await ofWaiting())?.state).toBe('pending_approval');
    const thief = await local.identity('thief');
    const stolen = local.enrolWith(thief.store, thief.identity, 'thief', joinString);
    expect(await refusal(stolen)).toMatchObject({ code: 'pairing.code_refused' });
    await expect.poll(async () => (await ofWaiting())?.alerts[0]).toContain(thief.identity.deviceId);
    over.abort();
    await expect(waiting).rejects.toThrow();
  });

  it('keeps the one request of a machine that asks again, and its words', async () => {
    const joinString = await local.mint();
    const { pairings } = local.daemon.control;
    const { store, identity } = await local.identity('again');
    const first = new AbortController();
    const held = local.enrolWith(store, identity, 'again', joinString, 'hold', first.signal);
    const requests = async () =>
      (await pairings.list(admin, {})).pairings.filter((one) => one.deviceId === identity.deviceId);
    await expect.poll(async () => (await requests())[0]?.state).toBe('pending_approval');
    const [before] = await requests();
    first.abort();
    await expect(held).rejects.toThrow();
    const { membership } = await local.enrolWith(store, identity, 'again', joinString);
    const after = await requests();
    expect(after).toHaveLength(1);
    expect(after[0]).toMatchObject({
      id: before?.id,
      fingerprintWords: before?.fingerprintWords,
      state: 'completed',
    });
    expect(membership.name).toBe('again');
  });

  it('refuses an approval of a proof that is not the latest', async () => {
    const { store, identity } = await local.identity('changed');
    const over = new AbortController();
    const held = local.enrolWith(store, identity, 'changed', await local.mint(), 'hold', over.signal);
    const { pairings } = local.daemon.control;
    const request = async () =>
      (await pairings.list(admin, {})).pairings.find((one) => one.deviceId === identity.deviceId);
    await expect.poll(async () => (await request())?.state).toBe('pending_approval');
    const stale = pairings.approve(admin, (await request())?.id ?? '', { transcript: 'ff'.repeat(32) });
    expect(await refusal(stale)).toMatchObject({ code: 'pairing.changed', category: 'conflict' });
    over.abort();
    await expect(held).rejects.toThrow();
  });

  it('runs nothing on a device that waits for approval', async () => {
    const { store, identity } = await local.identity('unapproved');
    const over = new AbortController();
    const held = local.enrolWith(store, identity, 'unapproved', await local.mint(), 'hold', over.signal);
    const listed = async () =>
      (await local.daemon.control.inventory.list(admin)).find((one) => one.deviceId === identity.deviceId);
    await expect.poll(async () => (await listed())?.trust).toBe('pending');
    const error = await refusal(local.invoke(identity.deviceId, 'echo', { message: 'hi' }));
    expect(error).toMatchObject({ code: 'dispatch.unknown_node', category: 'not_found' });
    over.abort();
    await expect(held).rejects.toThrow();
  });

  it('says the same of an unknown code as of a used one', async () => {
    const used = await local.mint();
    await local.enrol('user', used);
    const { codeId } = parseJoinString(used);
    const unknown = used.replace(codeId, `${codeId.slice(0, -3)}zzz`);
    const [ofUsed, ofUnknown] = [
      await refusal(local.enrol('a', used)),
      await refusal(local.enrol('b', unknown)),
    ];
    expect(ofUnknown.message).toBe(ofUsed.message);
    expect(ofUnknown.hint).toBe(ofUsed.hint);
  });

  it('refuses a join string with another CA hash before anything is proven', async () => {
    const joinString = await local.mint();
    const parts = joinString.split('/');
    parts[5] = Buffer.alloc(32, 7).toString('base64url');
    const error = await refusal(local.enrol('mistaken', parts.join('/')));
    expect(error).toMatchObject({ code: 'enrolment.ca_mismatch' });
    expect(error.hint).toContain('Compare the CA fingerprint');
  });

  it('tells a rejected machine that it was rejected and why', async () => {
    const error = await refusal(local.enrol('unwanted', undefined, 'reject'));
    expect(error).toMatchObject({
      code: 'node.refused',
      message: 'The operator rejected this machine: test',
    });
  });

  it('refuses a second decision on the same pairing', async () => {
    const { identity } = await local.enrol('decided');
    const { pairings: all } = await local.daemon.control.pairings.list(admin, {});
    const pairing = all.find((one) => one.deviceId === identity.deviceId);
    const again = local.daemon.control.pairings.reject(admin, pairing?.id ?? '', {
      transcript: pairing?.transcript ?? '',
    });
    expect(await refusal(again)).toMatchObject({ code: 'pairing.decided', category: 'conflict' });
  });
});

describe('what becomes of a request', () => {
  it('is one certificate, however many polls ask at once and again after a lost answer', async () => {
    const attacker = await EnrolmentAttacker.connect(local, await local.mint());
    const { identity } = await local.identity('polled');
    const plugins = await bundledAnnouncement();
    const pairingId = await attacker.prove(identity, plugins);
    const poll = async () =>
      attacker.wait(await attacker.signed('AwaitDecision', pairingId, identity), plugins, 'polled').decision;
    const first = poll();
    const { pairings } = local.daemon.control;
    await expect.poll(async () => (await pairings.get(admin, pairingId)).state).toBe('pending_approval');
    const others = Array.from({ length: 49 }, poll);
    const { transcript } = await pairings.get(admin, pairingId);
    await pairings.approve(admin, pairingId, { transcript, name: 'polled' });
    const decisions = await Promise.allSettled([first, ...others]);
    const certificates = decisions.flatMap((one) =>
      one.status === 'fulfilled' && one.value.kind === 'approved' ? [one.value.certificate] : [],
    );
    expect(certificates.length).toBeGreaterThan(0);
    // As if every answer had been lost: the machine asks again with the same key.
    const again = await poll();
    expect(again).toMatchObject({ kind: 'approved', certificate: certificates[0] });
    expect(new Set(certificates).size).toBe(1);
    const device = await local.daemon.control.devices.get(admin, identity.deviceId);
    expect(device.certificates).toHaveLength(1);
    attacker.close();
  });

  it('is nothing when an operator takes it back: the machine is told why, and a decision comes too late', async () => {
    const attacker = await EnrolmentAttacker.connect(local, await local.mint());
    const { identity } = await local.identity('taken-back');
    const plugins = await bundledAnnouncement();
    const pairingId = await attacker.prove(identity, plugins);
    const { pending, decision } = attacker.wait(
      await attacker.signed('AwaitDecision', pairingId, identity),
      plugins,
      'taken-back',
    );
    await pending;
    const { pairings } = local.daemon.control;
    const { transcript } = await pairings.get(admin, pairingId);
    await pairings.cancel(admin, pairingId, 'invited by mistake');
    expect(await decision).toMatchObject({ kind: 'rejected', reason: 'invited by mistake' });
    await expect(pairings.approve(admin, pairingId, { transcript })).rejects.toMatchObject({
      code: 'pairing.decided',
      category: 'conflict',
    });
    await expect(local.daemon.control.devices.get(admin, identity.deviceId)).rejects.toMatchObject({
      code: 'device.not_found',
    });
    attacker.close();
  });
});

describe('a host that has what its approval brought', () => {
  const files = (machine: LocalNode): string[] =>
    readdirSync(machine.directory).filter((name) => /^(tls|pairing|request)/.test(name));

  it('confirms it after it died before that, and keeps nothing that was only for joining once it has renewed', async () => {
    const machine = new LocalNode(local, 'died');
    const keys = await SecretFiles.open(machine.directory, undefined, { info: () => {} });
    const store = new IdentityStore(privateDirectory(machine.directory), preparedKeys, keys);
    const identity = await store.joining();
    const { writeMembership } = store;
    store.writeMembership = async (membership) => {
      await writeMembership.call(store, membership);
      throw new Error('killed');
    };
    const joining = local.enrolWith(store, identity, 'died', await local.mint());
    await expect(joining).rejects.toThrow('killed');
    const { pairings, devices } = local.daemon.control;
    const state = async () =>
      (await pairings.list(admin, {})).pairings.find(({ deviceId }) => deviceId === identity.deviceId)?.state;
    expect(await state()).toBe('approved');
    expect(files(machine).sort()).toEqual(['pairing.json', 'tls.csr', 'tls.key']);

    await machine.start();
    await expect.poll(state).toBe('completed');
    await expect.poll(() => files(machine).sort()).toEqual(['tls.csr', 'tls.key']);
    await machine.report('connected');
    await devices.decide(admin, identity.deviceId, { action: 'rotate', reason: 'test' });
    await machine.report('renewed');
    await expect.poll(() => files(machine)).toEqual([expect.stringMatching(/^tls-[0-9a-f]{16}\.key$/)]);
    // With what is left it starts as before, and joins anew when it is asked to.
    await machine.stop();
    await machine.start();
    await machine.times('connected', 3);
    await machine.stop();
    const again = await store.joining();
    expect(again.deviceId).toBe(identity.deviceId);
    expect(again.csrDigest.equals(identity.csrDigest)).toBe(false);
  });
});

describe('a machine that can not keep its keys', () => {
  it.each(['identity.key', 'tls.key', 'tls.csr'])(
    'says nothing to the daemon: what it would be known by has to be on disk first (%s)',
    async (name) => {
      const machine = new LocalNode(local, 'keyless');
      mkdirSync(join(machine.directory, name));
      const before = await local.daemon.control.pairings.list(admin, {});
      const joinString = await local.mint();
      await expect(machine.start(joinString)).rejects.toMatchObject({
        code: expect.stringMatching(/^private_file\./),
      });
      expect(machine.reports.filter(({ event }) => event === 'proving')).toEqual([]);
      expect(await local.daemon.control.pairings.list(admin, {})).toEqual(before);
      // The invitation was not touched: a machine that can keep its keys joins with it.
      expect(
        (await local.enrol(`keeper-${name.replace('.', '-')}`, joinString)).membership.certificate,
      ).toContain('BEGIN CERTIFICATE');
    },
  );
});
