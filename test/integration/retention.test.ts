import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { admin, LocalDaemon } from '../support/local-daemon.js';
import { RawNode } from '../support/raw-node.js';

let local: LocalDaemon;

beforeAll(async () => {
  local = await LocalDaemon.start('dispatch:\n  retention: 2h\n');
  const node = await RawNode.connect(local, await local.enrol('desk'));
  const presence = async () => (await local.daemon.control.inventory.list(admin))[0]?.presence;
  await vi.waitFor(async () => expect(await presence()).toBe('online'));
  node.close();
  await vi.waitFor(async () => expect(await presence()).toBe('offline'));
});
afterAll(() => local.close());

const queue = (idempotencyKey: string) =>
  local.daemon.control.dispatches.create(admin, {
    node: 'desk',
    capability: 'desktop.open_url',
    input: { url: 'https://example.com/' },
    idempotencyKey,
    queue: true,
  });

it('deletes what ended long ago when it starts, says so of it, and takes its key for a new request', async () => {
  const [old, recent, queued] = [await queue('old'), await queue('recent'), await queue('queued')];
  const { dispatches } = local.daemon.control;
  for (const { id } of [old, recent]) {
    await dispatches.cancel(admin, id, 'test');
    await expect.poll(async () => (await dispatches.get(admin, id)).state).toBe('cancelled');
  }
  await local.restart(() => {
    const database = new Database(join(local.stateDirectory, 'palyra.db'));
    const age = database.prepare('UPDATE records SET updated_at = updated_at - 7300000 WHERE id IN (?, ?)');
    expect(age.run(old.id, queued.id).changes).toBe(2);
    database.close();
  });
  const { control } = local.daemon;
  await expect
    .poll(() => local.log.map(({ message }) => message))
    .toContain('Deleted dispatches that ended long ago');
  const gone = {
    code: 'dispatch.not_found',
    hint: expect.stringContaining('older than `dispatch.retention` are pruned'),
  };
  await expect(control.dispatches.get(admin, old.id)).rejects.toMatchObject(gone);
  await expect(control.explanations.explain(admin, old.id)).rejects.toMatchObject(gone);
  expect(await control.dispatches.get(admin, recent.id)).toMatchObject({ state: 'cancelled' });
  expect(await control.dispatches.get(admin, queued.id)).toMatchObject({ state: 'queued' });
  expect((await queue('recent')).id).toBe(recent.id);
  expect((await queue('queued')).id).toBe(queued.id);
  const again = await queue('old');
  expect(again).toMatchObject({ state: 'queued' });
  expect(again.id).not.toBe(old.id);
});
