import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { RawNode } from '../support/raw-node.js';

let local: LocalDaemon;
let alice: EnrolledDevice;
let bob: EnrolledDevice;

beforeAll(async () => {
  local = await LocalDaemon.start('dispatch:\n  outputLimit: 2048\n');
  alice = await local.enrol('alice');
  bob = await local.enrol('bob');
});
afterAll(() => local.close());

async function presenceOf(name: string): Promise<string | undefined> {
  return (await local.daemon.control.inventory.list(admin)).find((one) => one.name === name)?.presence;
}

const echoed = (message: string): Buffer => Buffer.from(JSON.stringify({ message }));

describe('a live session', () => {
  it('takes a result only from the node that was asked', async () => {
    const [a, b] = [await RawNode.connect(local, alice), await RawNode.connect(local, bob)];
    await expect.poll(() => presenceOf('alice')).toBe('online');
    const run = local.invoke('alice', 'echo', { message: 'for alice' });
    await expect.poll(() => a.orders.length).toBe(1);
    const dispatchId = a.orders[0]?.dispatchId ?? '';
    b.answer({ dispatchId, output: echoed('forged') });
    // Frames of one stream are taken in order: once this one is answered, Bob's forgery has been taken too.
    b.answer({ dispatchId: 'dp_00000000000000000000000000', output: echoed('orphan') });
    await expect.poll(() => b.settled).toContain('dp_00000000000000000000000000');
    a.answer({ dispatchId, output: echoed('for alice') });
    expect(await run).toMatchObject({ state: 'succeeded', outcome: { output: { message: 'for alice' } } });
    a.close();
    b.close();
  });

  it('fails a dispatch whose output breaks its schema or its limit', async () => {
    const node = await RawNode.connect(local, alice);
    await expect.poll(() => presenceOf('alice')).toBe('online');
    const wrong = local.invoke('alice', 'echo', { message: 'x' });
    await expect.poll(() => node.orders.length).toBe(1);
    node.answer({ dispatchId: node.orders[0]?.dispatchId ?? '', output: Buffer.from('{"message":7}') });
    expect(await wrong).toMatchObject({
      state: 'failed',
      outcome: { error: { code: 'dispatch.invalid_output', fields: [{ field: 'output/message' }] } },
    });
    const large = local.invoke('alice', 'echo', { message: 'y' });
    await expect.poll(() => node.orders.length).toBe(2);
    node.answer({ dispatchId: node.orders[1]?.dispatchId ?? '', output: echoed('z'.repeat(4_000)) });
    expect(await large).toMatchObject({
      state: 'failed',
      outcome: { error: { code: 'dispatch.output_too_large' } },
    });
    node.close();
  });

  it('ends when a newer session of the same device opens, and the work goes to the newer one', async () => {
    const older = await RawNode.connect(local, alice);
    await expect.poll(() => presenceOf('alice')).toBe('online');
    // Its line is dead, and the daemon has not heard of that.
    older.answersPings = false;
    const newer = await RawNode.connect(local, alice, { ticket: older.ticket });
    await expect.poll(() => older.isOver).toBe(true);
    await expect.poll(() => presenceOf('alice')).toBe('online');
    const run = local.invoke('alice', 'echo', { message: 'new' });
    await expect.poll(() => newer.orders.length).toBe(1);
    expect(older.orders).toHaveLength(0);
    newer.answer({ dispatchId: newer.orders[0]?.dispatchId ?? '', output: echoed('new') });
    expect((await run).state).toBe('succeeded');
    newer.close();
  });

  it('opens for a machine that was the node of another daemon before and still shows its ticket', async () => {
    const moved = await RawNode.connect(local, await local.enrol('moved'), { ticket: Buffer.alloc(32, 7) });
    await expect.poll(() => presenceOf('moved')).toBe('online');
    const [entry] = (await local.daemon.control.inventory.list(admin)).filter((one) => one.name === 'moved');
    expect(entry?.alerts).toEqual([]);
    moved.close();
  });

  it('is not ended by a copy of the node that shows an old ticket: the copy is refused and the operator is told', async () => {
    const original = await RawNode.connect(local, bob);
    await expect.poll(() => presenceOf('bob')).toBe('online');
    const copy = await RawNode.connect(local, bob, { ticket: Buffer.alloc(32, 9) });
    expect(copy.ended).toMatchObject({ code: 'session.clone_waiting', retryable: true });
    expect(original.isOver).toBe(false);
    const [entry] = (await local.daemon.control.inventory.list(admin)).filter((one) => one.name === 'bob');
    expect(entry?.alerts.at(-1)?.message).toContain('clone');
    original.close();
  });
});

describe('an invocation', () => {
  it('names near matches of an unknown capability, and the field of a wrong input', async () => {
    const node = await RawNode.connect(local, alice);
    await expect.poll(() => presenceOf('alice')).toBe('online');
    await expect(local.invoke('alice', 'system.heath', {})).rejects.toMatchObject({
      code: 'dispatch.unknown_capability',
      hint: expect.stringContaining('system.health'),
    });
    await expect(local.invoke('alice', 'echo', { message: 7 })).rejects.toMatchObject({
      code: 'dispatch.invalid_input',
      fields: [{ field: 'input/message', message: expect.any(String) }],
    });
    await expect(local.invoke('alicf', 'echo', { message: 'x' })).rejects.toMatchObject({
      code: 'dispatch.unknown_node',
      hint: expect.stringContaining('alice'),
    });
    node.close();
  });

  it('of an offline node is refused at once', async () => {
    await expect.poll(() => presenceOf('alice')).toBe('offline');
    await expect(local.invoke('alice', 'echo', { message: 'x' })).rejects.toMatchObject({
      code: 'dispatch.node_offline',
      category: 'unavailable',
    });
  });
});
