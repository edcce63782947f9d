import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { CreateDispatch } from '../../src/actors/dispatch/view.js';
import { admin, LocalDaemon } from '../support/local-daemon.js';
import { RawNode } from '../support/raw-node.js';

let local: LocalDaemon;
let node: RawNode;

beforeAll(async () => {
  local = await LocalDaemon.start();
  node = await RawNode.connect(local, await local.enrol('desk'));
  await vi.waitFor(async () => {
    const [desk] = await local.daemon.control.inventory.list(admin);
    expect(desk?.presence).toBe('online');
  });
});
afterAll(async () => {
  node.close();
  await local.close();
});

const open = (url: string, key: Partial<CreateDispatch>) =>
  local.daemon.control.dispatches.create(admin, {
    node: 'desk',
    capability: 'desktop.open_url',
    input: { url },
    ...key,
  });

it('makes one dispatch of one key, however often and however many at once', async () => {
  const key = { idempotencyKey: 'invoice-17' };
  const made = await Promise.all(Array.from({ length: 20 }, () => open('https://example.com/17', key)));
  const again = await open('https://example.com/17', key);
  expect(new Set([...made, again].map((record) => record.id)).size).toBe(1);
  await expect.poll(() => node.orders.length).toBe(1);
  expect(node.orders[0]).toMatchObject({ dispatchId: again.id, repeatable: false });
});

it('refuses a key that came with another input, and names the dispatch that has it', async () => {
  const first = await open('https://example.com/a', { idempotencyKey: 'a' });
  await expect(open('https://example.com/b', { idempotencyKey: 'a' })).rejects.toMatchObject({
    code: 'dispatch.key_conflict',
    category: 'conflict',
    details: { dispatchId: first.id },
  });
});

it('takes the same input for the same, in whichever order its members stand', async () => {
  const ask = (given: unknown) =>
    local.daemon.control.dispatches.create(admin, {
      node: 'desk',
      capability: 'echo',
      input: given,
      idempotencyKey: 'order',
    });
  const first = await ask({ message: 'hi', value: 1 });
  expect((await ask({ value: 1, message: 'hi' })).id).toBe(first.id);
});

it('keeps what may be repeated keyless when the caller only offers a key', async () => {
  const create = (capability: string, input: unknown) =>
    local.daemon.control.dispatches.create(admin, { node: 'desk', capability, input, keyIfNeeded: 'k' });
  expect(await create('echo', { message: 'hi' })).toMatchObject({ repeatable: true });
  const once = await create('desktop.open_url', { url: 'https://example.com/k' });
  expect(once).toMatchObject({ repeatable: false, idempotencyKey: 'k' });
});
