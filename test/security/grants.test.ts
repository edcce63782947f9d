import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PluginAnnouncement } from '../../src/actors/link/frames.js';
import type { GrantRecord } from '../../src/actors/surface/grants.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { hostFacts } from '../../src/node/host-facts.js';
import type { Descriptor } from '../../src/plugins/descriptor.js';
import { descriptorDigest } from '../../src/plugins/digest.js';
import { admin, bundledAnnouncement, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { RawNode } from '../support/raw-node.js';

/*
 * What is approved by label. Labels are operators' words: a node that claims one gains nothing.
 */

let local: LocalDaemon;
let echo: Descriptor;
const labelled: Record<string, EnrolledDevice> = {};
const nodes = new Map<string, RawNode>();
const tickets = new Map<string, Uint8Array>();

beforeAll(async () => {
  local = await LocalDaemon.start();
  const all = (await bundledAnnouncement()).flatMap(({ descriptors }) => descriptors);
  const bytes = all.find(({ capability }) => capability === 'echo')?.descriptor ?? new Uint8Array(0);
  echo = JSON.parse(Buffer.from(bytes).toString('utf8')) as Descriptor;
  for (const [name, labels] of [
    ['edge', { role: 'edge', site: 'berlin' }],
    ['other', { role: 'edge', site: 'oslo' }],
    ['claimer', {}],
  ] as const) {
    const { joinString } = await local.daemon.control.codes.mintJoin(admin, { labels });
    labelled[name] = await local.enrol(name, joinString);
  }
});
afterAll(() => local.close());

/** Another capability than those that were approved with the pairings. */
const ping = (): Descriptor => ({ ...echo, name: 'lab.ping', plugin: 'echo' });

/** A node comes with it, in place of its session before, and says that it has the label. */
async function come(name: string, buildDigest = 'build 1'): Promise<RawNode> {
  const device = labelled[name];
  if (!device) throw new Error(name);
  nodes.get(name)?.close();
  const descriptor = ping();
  const plugins: readonly PluginAnnouncement[] = [
    {
      name: 'echo',
      version: '2.0.0',
      buildDigest,
      standing: { isolation: 'process', enforced: [] },
      descriptors: [
        {
          digest: descriptorDigest(descriptor),
          capability: descriptor.name,
          descriptor: Buffer.from(JSON.stringify(descriptor)),
        },
      ],
    },
  ];
  const claim = { labels: { role: 'edge', site: 'berlin' } };
  const facts = { ...hostFacts(), hostname: 'role=edge,site=berlin', ...claim };
  const ticket = tickets.get(name) ?? new Uint8Array(0);
  const node = await RawNode.connect(local, device, { ticket, plugins, facts });
  if (node.ended) throw node.ended;
  tickets.set(name, node.ticket);
  nodes.set(name, node);
  await expect
    .poll(
      async () =>
        (await local.daemon.control.inventory.list(admin)).find((one) => one.name === name)?.presence,
    )
    .toBe('online');
  return node;
}

const idOf = (name: string): string => labelled[name]?.identity.deviceId ?? '';
const stateOf = async (name: string): Promise<string> =>
  (await local.daemon.control.surfaces.get(admin, idOf(name), 'lab.ping')).state;

function grant(labels: Record<string, string>, caller = admin): Promise<GrantRecord> {
  return local.daemon.control.surfaces.grant(caller, {
    deviceId: idOf('edge'),
    capability: 'lab.ping',
    digest: descriptorDigest(ping()),
    buildDigest: 'build 1',
    labels,
    reason: 'test',
  });
}

const refusalOf = (name: string): Promise<unknown> =>
  local.invoke(name, 'lab.ping', {}).then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );

describe('a grant by label', () => {
  let standing: GrantRecord;

  it("is an approver's to give, of what they saw", async () => {
    await come('edge');
    await come('other');
    await come('claimer');
    const invoker = verifiedCaller({ kind: 'operator', name: 'bob', role: 'invoker' });
    await expect(grant({ role: 'edge' }, invoker)).rejects.toMatchObject({ code: 'surface.forbidden' });
    const device = verifiedCaller({ kind: 'device', deviceId: idOf('edge'), fingerprint: '' });
    await expect(grant({ role: 'edge' }, device)).rejects.toMatchObject({ code: 'surface.forbidden' });
    expect(await stateOf('edge')).toBe('pending');
  });

  it('lets those call it that have all of its labels from an operator, at once; a node that claims them gains nothing', async () => {
    standing = await grant({ role: 'edge', site: 'berlin' });
    expect(await stateOf('edge')).toBe('approved');
    await expect.poll(() => nodes.get('edge')?.surfaces.at(-1)?.surface[0]?.status).toBe('accepted');
    expect(await local.daemon.control.surfaces.get(admin, idOf('edge'), 'lab.ping')).toMatchObject({
      granted: { id: standing.id, labels: { role: 'edge', site: 'berlin' }, by: 'operator:test' },
    });
    for (const name of ['other', 'claimer']) {
      expect(await stateOf(name)).toBe('pending');
      expect(await refusalOf(name)).toBe('dispatch.not_approved');
    }
    await come('claimer');
    expect(await stateOf('claimer')).toBe('pending');
  });

  it('holds for its descriptor, gives way to a no for one machine, and stands over a restart', async () => {
    await local.restart();
    await come('edge');
    expect(await stateOf('edge')).toBe('approved');
    const seen = { digest: descriptorDigest(ping()), buildDigest: 'build 1', reason: 'not this one' };
    await local.daemon.control.surfaces.decide(admin, idOf('edge'), 'lab.ping', {
      action: 'revoke',
      ...seen,
    });
    expect(await stateOf('edge')).toBe('revoked');
    expect(await refusalOf('edge')).toBe('dispatch.not_approved');
  });

  it('is taken back for good: what runs by it alone is stopped, and nobody may call it any more', async () => {
    const other = await come('other');
    const wide = await grant({ role: 'edge' }).catch((error: { code?: string }) => error.code);
    // The machine that it was looked at on has it revoked, and still offers it: the grant is about the descriptor.
    if (typeof wide !== 'object') throw new Error(String(wide));
    expect(await stateOf('other')).toBe('approved');
    const running = local.invoke('other', 'lab.ping', {});
    await expect.poll(() => other.orders.length).toBe(1);
    await local.daemon.control.surfaces.withdraw(admin, wide.id, 'enough');
    await expect.poll(() => other.cancels).toEqual([other.orders[0]?.dispatchId]);
    other.answer({ dispatchId: other.orders[0]?.dispatchId ?? '', outcome: 'cancelled' });
    expect((await running).state).toBe('cancelled');
    expect(await stateOf('other')).toBe('pending');
    const again = local.daemon.control.surfaces.withdraw(admin, wide.id, '');
    await expect(again).rejects.toMatchObject({ code: 'surface.not_possible' });
    expect((await local.daemon.control.surfaces.grants(admin)).map(({ id, state }) => [id, state])).toEqual([
      [wide.id, 'withdrawn'],
      [standing.id, 'standing'],
    ]);
  });
});

describe('a change of the labels of a device', () => {
  const label = (set: Record<string, string>, remove: readonly string[], caller = admin) =>
    local.daemon.control.devices.decide(caller, idOf('other'), {
      action: 'label',
      reason: 'moved',
      set,
      remove,
    });

  it("is an admin's to make, and nobody else's", async () => {
    await come('other');
    for (const caller of [
      verifiedCaller({ kind: 'operator', name: 'bob', role: 'approver' }),
      verifiedCaller({ kind: 'device', deviceId: idOf('other'), fingerprint: '' }),
    ]) {
      await expect(label({ floor: '2' }, [], caller)).rejects.toMatchObject({ code: 'device.forbidden' });
    }
    expect(await stateOf('other')).toBe('pending');
  });

  it('lets run at once what is granted by a label that it gives, and the node is told', async () => {
    await grant({ floor: '2' });
    expect(await stateOf('other')).toBe('pending');
    const { labels } = await label({ floor: '2' }, []);
    expect(labels).toEqual({ role: 'edge', site: 'oslo', floor: '2' });
    expect(await stateOf('other')).toBe('approved');
    await expect.poll(() => nodes.get('other')?.surfaces.at(-1)?.surface[0]?.status).toBe('accepted');
  });

  it('stops what ran by a label that it takes away, after which the grant lets nothing run there, also after a restart', async () => {
    const other = nodes.get('other');
    if (!other) throw new Error('other');
    const running = local.invoke('other', 'lab.ping', {});
    await expect.poll(() => other.orders.length).toBe(1);
    // A change that leaves the label leaves what runs by it.
    await label({ team: 'infra' }, ['site']);
    expect(other.cancels).toEqual([]);
    expect(await stateOf('other')).toBe('approved');
    await label({}, ['floor']);
    await expect.poll(() => other.cancels).toEqual([other.orders[0]?.dispatchId]);
    other.answer({ dispatchId: other.orders[0]?.dispatchId ?? '', outcome: 'cancelled' });
    expect((await running).state).toBe('cancelled');
    await expect.poll(() => other.surfaces.at(-1)?.surface[0]?.status).toBe('not_approved');
    expect(await refusalOf('other')).toBe('dispatch.not_approved');
    await local.restart();
    await come('other');
    expect(await stateOf('other')).toBe('pending');
    expect(await refusalOf('other')).toBe('dispatch.not_approved');
    const shown = (await local.daemon.control.inventory.list(admin)).find(({ name }) => name === 'other');
    expect(shown?.labels).toEqual({ role: 'edge', team: 'infra' });
  });

  it('stops what ran by a value that it changes, and leaves what an approval of this machine allows', async () => {
    await label({ floor: '2' }, []);
    await label({ floor: '3' }, []);
    expect(await refusalOf('other')).toBe('dispatch.not_approved');
    const seen = { digest: descriptorDigest(ping()), buildDigest: 'build 1', reason: 'this one' };
    await local.daemon.control.surfaces.decide(admin, idOf('other'), 'lab.ping', {
      action: 'approve',
      ...seen,
    });
    await label({ floor: '2' }, []);
    const other = nodes.get('other');
    const running = local.invoke('other', 'lab.ping', {});
    await expect.poll(() => other?.orders.length).toBe(1);
    await label({}, ['floor']);
    expect(other?.cancels).toEqual([]);
    expect(await stateOf('other')).toBe('approved');
    other?.answer({
      dispatchId: other.orders[0]?.dispatchId ?? '',
      outcome: 'succeeded',
      output: Buffer.from('{}'),
    });
    await running;
  });
});
