import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CreateDispatch } from '../../src/actors/dispatch/view.js';
import { verifiedCaller } from '../../src/kernel/authority.js';
import { admin, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { RawNode } from '../support/raw-node.js';

/** Time for what takes a moment on a machine that is busy. */
const soon = { timeout: 20_000 };
const yaml = 'dispatch: { inFlightPerNode: 1, queuePerNode: 3 }\n';
const ada = verifiedCaller({ kind: 'operator', name: 'ada', role: 'invoker' });

let local: LocalDaemon;
let device: EnrolledDevice;
let node: RawNode | undefined;

beforeAll(async () => {
  local = await LocalDaemon.start(yaml);
  device = await local.enrol('desk');
  // It has been there, so that the daemon knows what it offers, and is away.
  const before = await RawNode.connect(local, device);
  before.close();
  await vi.waitFor(expectOffline, soon);
});
afterAll(async () => {
  node?.close();
  await local.close();
});

async function expectOffline(): Promise<void> {
  expect((await local.daemon.control.inventory.list(admin))[0]).toMatchObject({
    presence: 'offline',
    lastSeenAt: expect.any(Number),
  });
}
const dispatches = () => local.daemon.control.dispatches;
const request = (changes: Partial<CreateDispatch> = {}): CreateDispatch => ({
  node: 'desk',
  capability: 'echo',
  input: { message: 'hi' },
  ...changes,
});
const open = (url: string, changes: Partial<CreateDispatch> = {}) =>
  request({ capability: 'desktop.open_url', input: { url }, ...changes });
const foresee = (asked: CreateDispatch) => dispatches().foresee(admin, asked);
const all = async () => (await dispatches().list(admin, {})).dispatches.map(({ id }) => id);

/** What is foreseen and what comes of it: the same error, word by word. */
async function expectSameRefusal(asked: CreateDispatch, code: string): Promise<void> {
  const forecast = await foresee(asked);
  const thrown: unknown = await dispatches()
    .create(admin, asked)
    .catch((error: unknown) => error);
  expect(forecast).toMatchObject({ verdict: 'refuse', error: { code } });
  expect(thrown).toMatchObject({ ...forecast.error });
}

describe('a dry run', () => {
  it('refuses what would be refused, for the same reason, and leaves nothing behind', async () => {
    await expectSameRefusal(request({ node: 'dask' }), 'dispatch.unknown_node');
    await expectSameRefusal(request({ capability: 'ecko' }), 'dispatch.unknown_capability');
    await expectSameRefusal(request({ input: { message: 7 }, queue: true }), 'dispatch.invalid_input');
    await expectSameRefusal(request({ timeoutMs: 0, queue: true }), 'dispatch.invalid_request');
    await expectSameRefusal(request(), 'dispatch.node_offline');
    const viewer = verifiedCaller({ kind: 'operator', name: 'eve', role: 'viewer' });
    await expect(dispatches().foresee(viewer, request())).rejects.toMatchObject({
      code: 'dispatch.forbidden',
    });
    expect(await all()).toEqual([]);
  });

  it('says of a node that is away until when it would be queued, and takes no key', async () => {
    const asked = request({ queue: true, idempotencyKey: 'k1' });
    const before = Date.now();
    const forecast = await foresee(asked);
    expect(forecast).toMatchObject({
      verdict: 'queue',
      ahead: 0,
      dispatch: { nodeName: 'desk', capability: 'echo', repeatable: false, idempotencyKey: 'k1' },
    });
    expect(forecast.dispatch?.deliverBy).toBeGreaterThanOrEqual(before + 86_400_000);
    expect(await all()).toEqual([]);
    // The key is free: another request may have it.
    const other = await dispatches().create(admin, request({ ...asked, input: { message: 'other' } }));
    await expectSameRefusal(asked, 'dispatch.key_conflict');
    const same = await foresee(request({ ...asked, input: { message: 'other' } }));
    expect(same).toMatchObject({
      verdict: 'existing',
      existing: { id: other.id, state: 'queued', held: false },
    });
    await dispatches().cancel(admin, other.id, 'enough');
  });

  it('says of a node that is there whether it would run, be asked for, or wait, and when there is room again', async () => {
    node = await RawNode.connect(local, device);
    await vi.waitFor(async () => expect(await foresee(request())).toMatchObject({ verdict: 'run' }), soon);
    expect(await foresee(open('https://example.com'))).toMatchObject({
      verdict: 'ask',
      dispatch: { mediationTimeoutMs: 120_000 },
    });
    const first = await dispatches().create(admin, request());
    await vi.waitFor(() => expect(node?.orders).toHaveLength(1), soon);
    expect(await foresee(open('https://example.com'))).toMatchObject({ verdict: 'wait', ahead: 1 });
    await dispatches().create(admin, request());
    await dispatches().create(admin, request());
    await expectSameRefusal(request(), 'dispatch.busy');
    node.answer({ dispatchId: first.id, output: Buffer.from('{"message":"hi"}') });
    await vi.waitFor(async () => expect(await foresee(request())).toMatchObject({ verdict: 'wait' }), soon);
    await dispatches().create(admin, request());
    // One end was seen a moment ago: another is soon.
    const { error } = await foresee(request());
    expect(error).toMatchObject({ code: 'dispatch.busy', details: { retryAfterMs: expect.any(Number) } });
    expect(error?.details?.retryAfterMs).toBeLessThan(5_000);
  });
});

describe('a key', () => {
  it('leads to its dispatch also when the node has gone, is full, or has another name', async () => {
    await vi.waitFor(() => expect(node?.orders).toHaveLength(2), soon);
    const second = node?.orders[1];
    if (second) node?.answer({ dispatchId: second.dispatchId });
    await vi.waitFor(async () => expect(await foresee(request())).toMatchObject({ verdict: 'wait' }), soon);
    const asked = open('https://example.com/once', { keyIfNeeded: 'from the client' });
    const made = await dispatches().create(admin, asked);
    await expectSameRefusal(request(), 'dispatch.busy');
    expect(await dispatches().create(admin, asked)).toMatchObject({ id: made.id });
    node?.close();
    await vi.waitFor(expectOffline, soon);
    await local.daemon.control.devices.decide(admin, device.identity.deviceId, {
      action: 'rename',
      name: 'lab',
      reason: '',
    });
    const again = { ...asked, node: 'lab' };
    expect(await dispatches().create(admin, again)).toMatchObject({ id: made.id });
    expect(await foresee(again)).toMatchObject({ verdict: 'existing', existing: { id: made.id } });
  });

  it('is another key from another caller', async () => {
    const asked = open('https://example.com/once', {
      node: 'lab',
      keyIfNeeded: 'from the client',
      queue: true,
    });
    const forecast = await dispatches().foresee(ada, asked);
    expect(forecast).toMatchObject({ verdict: 'refuse', error: { code: 'dispatch.busy' } });
  });
});
