import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PluginAnnouncement } from '../../src/actors/link/frames.js';
import type { DecideSurface, SurfaceView } from '../../src/actors/surface/view.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import type { Descriptor } from '../../src/plugins/descriptor.js';
import { descriptorDigest } from '../../src/plugins/digest.js';
import { admin, bundledAnnouncement, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { RawNode } from '../support/raw-node.js';

let local: LocalDaemon;
let device: EnrolledDevice;
let echo: Descriptor;
let ticket: Uint8Array = new Uint8Array(0);
const nodes: RawNode[] = [];

beforeAll(async () => {
  local = await LocalDaemon.start();
  const all = (await bundledAnnouncement()).flatMap(({ descriptors }) => descriptors);
  const bytes = all.find(({ capability }) => capability === 'echo')?.descriptor ?? new Uint8Array(0);
  echo = JSON.parse(Buffer.from(bytes).toString('utf8')) as Descriptor;
});
afterAll(() => local.close());

/** What a node says that it offers; each descriptor under its true digest. */
function offering(...descriptors: readonly Descriptor[]): readonly PluginAnnouncement[] {
  return descriptors.map((descriptor) => ({
    name: descriptor.plugin,
    version: '2.0.0',
    buildDigest: `build ${descriptor.title}`,
    descriptors: [
      {
        digest: descriptorDigest(descriptor),
        capability: descriptor.name,
        descriptor: Buffer.from(JSON.stringify(descriptor)),
      },
    ],
  }));
}

/** The node comes with this surface, in place of its session before. */
async function come(...descriptors: readonly Descriptor[]): Promise<RawNode> {
  for (const before of nodes.splice(0)) before.close();
  const node = await RawNode.connect(local, device, { ticket, plugins: offering(...descriptors) });
  if (node.ended) throw node.ended;
  ticket = node.ticket;
  nodes.push(node);
  await expect.poll(() => presence()).toBe('online');
  return node;
}

async function presence(): Promise<string | undefined> {
  const [entry] = await local.daemon.control.inventory.list(admin);
  return entry?.presence;
}

async function surfaceOf(capability: string): Promise<SurfaceView> {
  return local.daemon.control.surfaces.get(admin, device.identity.deviceId, capability);
}

async function decide(
  capability: string,
  action: DecideSurface['action'],
  caller = admin,
): Promise<SurfaceView> {
  const { digest, buildDigest } = await surfaceOf(capability);
  const decision = { action, digest, buildDigest, reason: 'test' };
  return local.daemon.control.surfaces.decide(caller, device.identity.deviceId, capability, decision);
}

async function refusalOf(capability: string): Promise<unknown> {
  return local.invoke('lab', capability, {}).then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}

async function runs(node: RawNode, digest: string): Promise<void> {
  const before = node.orders.length;
  const run = local.invoke('lab', 'echo', { message: 'x' });
  await expect.poll(() => node.orders.length).toBe(before + 1);
  const order = node.orders.at(-1);
  expect(order?.descriptorDigest).toBe(digest);
  node.answer({ dispatchId: order?.dispatchId ?? '', output: Buffer.from('{"message":"x"}') });
  expect((await run).state).toBe('succeeded');
}

/** What the node was told last about its echo, on the stream that it has. */
function verdictOf(node: RawNode): string | undefined {
  return node.surfaces.at(-1)?.surface.find(({ capability }) => capability === 'echo')?.status;
}

const wider = (): Descriptor => ({ ...echo, title: 'Wider', timeout: '1h' });
const narrower = (): Descriptor => ({ ...echo, title: 'Narrower', timeout: '1s' });

describe('a node that offers something else than what was approved with its pairing', () => {
  beforeAll(async () => {
    device = await local.enrol('lab');
  });

  it('has its wider capability shown with the difference, and neither run nor compiled before it is approved', async () => {
    await come(wider());
    expect(await refusalOf('echo')).toBe('dispatch.not_approved');
    const surface = await surfaceOf('echo');
    expect(surface).toMatchObject({
      node: 'lab',
      state: 'pending',
      verdict: 'wider',
      digest: descriptorDigest(wider()),
      approved: { digest: descriptorDigest(echo), approvedBy: 'operator:test' },
      actions: ['approve', 'reject', 'revoke'],
    });
    expect(surface.changes.map(({ kind, sentence }) => `${kind} ${sentence}`)).toEqual([
      'wider timeout: raised from 10s to 1h',
      'neutral title: reads "Wider"',
    ]);
    const { surfaces } = await local.daemon.control.surfaces.list(admin, { states: ['pending'] });
    expect(surfaces.map(({ capability }) => capability)).toEqual(['echo']);
  });

  it('may have it approved by an approver only, who names what they saw; then it runs without a new session', async () => {
    const node = nodes[0] ?? (await come(wider()));
    const invoker = verifiedCaller({ kind: 'operator', name: 'bob', role: 'invoker' });
    await expect(decide('echo', 'approve', invoker)).rejects.toMatchObject({ code: 'surface.forbidden' });
    const other = { action: 'approve', digest: descriptorDigest(echo), reason: '' } as const;
    await expect(
      local.daemon.control.surfaces.decide(admin, device.identity.deviceId, 'echo', other),
    ).rejects.toMatchObject({ code: 'surface.changed', category: 'conflict' });
    expect(await refusalOf('echo')).toBe('dispatch.not_approved');
    expect(await decide('echo', 'approve')).toMatchObject({ state: 'approved', verdict: 'same' });
    await expect.poll(() => verdictOf(node)).toBe('accepted');
    await runs(node, descriptorDigest(wider()));
    expect(node.isOver).toBe(false);
    await expect(decide('echo', 'approve')).rejects.toMatchObject({ code: 'surface.not_possible' });
  });

  it('has a narrower one granted by the daemon, which says from which approval that follows', async () => {
    const node = await come(narrower());
    await expect.poll(async () => (await surfaceOf('echo')).state).toBe('approved');
    const { approved } = await surfaceOf('echo');
    expect(approved).toMatchObject({
      digest: descriptorDigest(narrower()),
      approvedBy: 'operator:test',
      follows: { digest: descriptorDigest(wider()), approvedBy: 'operator:test' },
    });
    const { history } = await local.daemon.control.explanations.explain(admin, 'lab');
    expect(history.at(-1) ?? {}).toBeDefined();
    expect(history.filter(({ event }) => event === 'surface.follow')).toEqual([
      expect.objectContaining({
        by: 'system:daemon',
        note: expect.stringContaining('operator:test approved on'),
      }),
    ]);
    await runs(node, descriptorDigest(narrower()));
  });

  it('does not have it granted when it comes from another publisher', async () => {
    await come({ ...narrower(), publisher: 'Somebody else' });
    await expect.poll(async () => (await surfaceOf('echo')).verdict).toBe('wider');
    expect((await surfaceOf('echo')).state).toBe('pending');
    expect(await refusalOf('echo')).toBe('dispatch.not_approved');
  });

  it('is not asked to run a version that was rejected, and not asked about it again', async () => {
    const rejected = { ...wider(), title: 'Rejected', destructive: true };
    await come(rejected);
    expect(await decide('echo', 'reject')).toMatchObject({ state: 'rejected', refused: { reason: 'test' } });
    await come(rejected);
    expect((await surfaceOf('echo')).state).toBe('rejected');
    expect((await local.daemon.control.surfaces.list(admin, { states: ['pending'] })).surfaces).toEqual([]);
    await come(wider());
    expect((await surfaceOf('echo')).state).toBe('approved');
  });

  it('can not undo a revocation by registering again, with whatever version', async () => {
    const node = await come(wider());
    const running = local.invoke('lab', 'echo', { message: 'x' });
    await expect.poll(() => node.orders.length).toBe(1);
    expect(await decide('echo', 'revoke')).toMatchObject({ state: 'revoked' });
    // What it runs of it is told to stop.
    await expect.poll(() => node.cancels).toEqual([node.orders[0]?.dispatchId]);
    await expect.poll(() => verdictOf(node)).toBe('not_approved');
    node.answer({ dispatchId: node.orders[0]?.dispatchId ?? '', outcome: 'cancelled' });
    expect((await running).state).toBe('cancelled');
    for (const again of [wider(), narrower(), echo, { ...echo, title: 'New' }]) {
      await come(again);
      expect((await surfaceOf('echo')).state).toBe('revoked');
      expect(await refusalOf('echo')).toBe('dispatch.not_approved');
    }
    await come(echo);
    expect(await decide('echo', 'approve')).toMatchObject({ state: 'approved' });
  });

  it('is shown what does not compile with the reason, and nobody can approve it', async () => {
    await come({
      ...echo,
      name: 'hostile',
      input: { type: 'object', properties: { a: { $ref: 'https://x.test' } } },
    });
    expect(await surfaceOf('hostile')).toMatchObject({
      state: 'pending',
      verdict: 'new',
      refusal: { code: 'plugin.schema_reference' },
    });
    await expect(decide('hostile', 'approve')).rejects.toMatchObject({ code: 'plugin.schema_reference' });
    expect(await refusalOf('hostile')).toBe('dispatch.not_approved');
  });
});

describe('with pin: build', () => {
  let pinned: LocalDaemon;
  let member: EnrolledDevice;
  let running: RawNode | undefined;
  let shown: Uint8Array = new Uint8Array(0);

  beforeAll(async () => {
    pinned = await LocalDaemon.start('plugins: { pin: build }\n');
    member = await pinned.enrol('lab');
  });
  afterAll(() => pinned.close());

  /** The node comes with the same promise, made by this build. */
  async function build(buildDigest: string): Promise<RawNode> {
    running?.close();
    const plugins = offering(echo).map((plugin) => ({ ...plugin, buildDigest }));
    const node = await RawNode.connect(pinned, member, { ticket: shown, plugins });
    if (node.ended) throw node.ended;
    shown = node.ticket;
    running = node;
    await expect
      .poll(async () => (await pinned.daemon.control.inventory.list(admin))[0]?.presence)
      .toBe('online');
    return node;
  }

  const surface = () => pinned.daemon.control.surfaces.get(admin, member.identity.deviceId, 'echo');

  async function outcome(node: RawNode): Promise<string | undefined> {
    const run = pinned.invoke('lab', 'echo', { message: 'x' }).then(
      ({ state }) => state,
      (error: { code?: string }) => error.code,
    );
    const refused = await Promise.race([run, expect.poll(() => node.orders.length).toBe(1)]);
    if (typeof refused === 'string') return refused;
    node.answer({ dispatchId: node.orders[0]?.dispatchId ?? '', output: Buffer.from('{"message":"x"}') });
    return run;
  }

  it('an approval holds for the very build that was approved: another one waits, and is told as that', async () => {
    const bundled = (await bundledAnnouncement()).find(({ name }) => name === 'echo');
    const first = bundled?.buildDigest ?? '';
    expect(await outcome(await build(first))).toBe('succeeded');
    const other = await build('another build');
    expect(await surface()).toMatchObject({
      state: 'pending',
      verdict: 'same',
      buildDigest: 'another build',
    });
    expect(await outcome(other)).toBe('dispatch.not_approved');
    const seen = { digest: descriptorDigest(echo), buildDigest: first };
    const { surfaces } = pinned.daemon.control;
    await expect(
      surfaces.decide(admin, member.identity.deviceId, 'echo', { action: 'approve', reason: '', ...seen }),
    ).rejects.toMatchObject({ code: 'surface.changed' });
    await surfaces.decide(admin, member.identity.deviceId, 'echo', {
      action: 'approve',
      reason: 'read it',
      ...seen,
      buildDigest: 'another build',
    });
    await expect.poll(() => other.surfaces.at(-1)?.surface[0]?.status).toBe('accepted');
    expect(await outcome(other)).toBe('succeeded');
  });

  it('what was asked for while the approved build was away waits for its approval, and goes out with that', async () => {
    const { dispatches, surfaces } = pinned.daemon.control;
    running?.close();
    const presence = async () => (await pinned.daemon.control.inventory.list(admin))[0]?.presence;
    await expect.poll(presence).toBe('offline');
    const ask = { node: 'lab', capability: 'echo', input: { message: 'x' }, queue: true };
    const waiting = await dispatches.create(admin, ask);
    const node = await build('a build that nobody has seen');
    // It has come, and so has whatever was to be sent to it with that.
    await expect.poll(async () => (await surface()).buildDigest).toBe('a build that nobody has seen');
    expect(await outcome(node)).toBe('dispatch.not_approved');
    expect(node.orders).toEqual([]);
    expect((await dispatches.get(admin, waiting.id)).state).toBe('queued');
    await surfaces.decide(admin, member.identity.deviceId, 'echo', {
      action: 'approve',
      reason: 'read it',
      digest: descriptorDigest(echo),
      buildDigest: 'a build that nobody has seen',
    });
    await expect.poll(() => node.orders.map(({ dispatchId }) => dispatchId)).toEqual([waiting.id]);
  });
});
