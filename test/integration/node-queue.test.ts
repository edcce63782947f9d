import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { noRules } from '../../src/node/plugin-rules.js';
import { bundledPlugins } from '../../src/plugins/bundled.js';
import { admin, LocalDaemon } from '../support/local-daemon.js';
import { LocalNode } from '../support/local-node.js';
import { holding, noted, writeNotingPlugin } from '../support/noting-plugin.js';
import { RawNode } from '../support/raw-node.js';
import { SlowLine } from '../support/slow-line.js';

/** The full figure is 10,000: `PALYRA_QUEUED=10000`. */
const queued = Number(process.env.PALYRA_QUEUED ?? 1_000);
/** Time for what takes a moment on a machine that is busy. */
const soon = { timeout: 20_000 };
const mebibyte = 1024 * 1024;

let folder: string;
let local: LocalDaemon;
let node: LocalNode;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'palyra-queue-'));
  writeNotingPlugin(folder);
  local = await LocalDaemon.start(
    `plugins: { paths: ['${folder}'], enabled: [lab, echo] }\ndispatch: { queuePerNode: ${queued}, queueBytesPerNode: ${24 * mebibyte} }\n`,
  );
});
afterAll(async () => {
  await local.close();
  rmSync(folder, { recursive: true, force: true });
});

const dispatches = () => local.daemon.control.dispatches;

const entryOf = async (name: string) =>
  (await local.daemon.control.inventory.list(admin)).find((one) => one.name === name);

async function loadOf(name: string) {
  const entry = await entryOf(name);
  return { inFlight: entry?.inFlight, queued: entry?.queued };
}

async function isOffline(name: string): Promise<void> {
  expect(await entryOf(name)).toMatchObject({ presence: 'offline', lastSeenAt: expect.any(Number) });
}

it(`delivers ${queued} dispatches that were queued for an offline node in their order, and refuses one more`, async () => {
  const rules = { ...noRules, trusted: new Set(['lab']) };
  node = new LocalNode(local, 'desk', undefined, { roots: [bundledPlugins(), folder], rules });
  await node.start(await local.mint());
  await node.report('connected');
  await node.stop();
  await vi.waitFor(() => isOffline('desk'), soon);
  const note = (input: number) =>
    dispatches().create(admin, { node: 'desk', capability: 'lab.note', input, queue: true });
  const times = [performance.now()];
  for (let from = 0; from < queued; from += 1_000) {
    await Promise.all(Array.from({ length: 1_000 }, (_, at) => note(from + at)));
  }
  times.push(performance.now());
  await expect(note(queued)).rejects.toMatchObject({
    code: 'dispatch.busy',
    details: { retryAfterMs: 60_000 },
  });
  await node.start();
  await vi.waitFor(() => expect(noted).toHaveLength(queued), { timeout: 60_000, interval: 20 });
  times.push(performance.now());
  expect(noted).toEqual(Array.from({ length: queued }, (_, at) => at));
  await vi.waitFor(async () => expect(await loadOf('desk')).toEqual({ inFlight: 0, queued: 0 }), {
    timeout: 30_000,
  });
  noted.length = 0;
  const [begun = 0, full = 0, done = 0] = times;
  console.log(`${queued} queued in ${Math.round(full - begun)} ms, run in ${Math.round(done - full)} ms`);
}, 120_000);

it('runs no more of a capability at a time than it says, and lets what waits for it hold up nothing else', async () => {
  const hold = (input: number) => dispatches().create(admin, { node: 'desk', capability: 'lab.hold', input });
  const made = [await hold(1), await hold(2), await hold(3), await hold(4)];
  await vi.waitFor(() => expect(noted).toEqual([1, 2]), soon);
  expect(await local.invoke('desk', 'echo', {})).toMatchObject({ state: 'succeeded' });
  expect(noted).toEqual([1, 2]);
  const [, , third, fourth] = made;
  expect(await dispatches().get(admin, third?.id ?? '')).toMatchObject({ state: 'queued' });
  // What waits is with the daemon: it ends without a word of the node.
  await dispatches().cancel(admin, third?.id ?? '', 'enough');
  expect(await dispatches().get(admin, third?.id ?? '')).toMatchObject({ state: 'cancelled' });
  holding[0]?.();
  await vi.waitFor(() => expect(noted).toEqual([1, 2, 4]), soon);
  for (const letGo of holding) letGo();
  const ended = await dispatches().get(admin, fourth?.id ?? '', true);
  expect(ended).toMatchObject({ state: 'succeeded' });
  await node.stop();
});

it('keeps no more for a node that does not read than its credit, and sends the rest when it does', async () => {
  const line = await SlowLine.to(local.daemon.addresses.node);
  const slow = await RawNode.connect(local, await local.enrol('slow'), { address: line.address });
  line.stop();
  const value = 'x'.repeat(mebibyte - '{"value":""}'.length);
  const create = () =>
    dispatches().create(admin, { node: 'slow', capability: 'echo', input: { value }, queue: true });
  const made = await Promise.all(Array.from({ length: 24 }, create));
  await expect(create()).rejects.toMatchObject({
    code: 'dispatch.busy',
    message: expect.stringContaining('bytes of input'),
  });
  // 16 MiB are on their way to it, whether it reads or not; the rest waits, and is not in any buffer of the line.
  await vi.waitFor(async () => expect(await loadOf('slow')).toEqual({ inFlight: 16, queued: 8 }), soon);
  line.go();
  let answered = 0;
  await vi.waitFor(
    async () => {
      for (const { dispatchId } of slow.orders.slice(answered)) {
        answered += 1;
        slow.answer({ dispatchId, output: Buffer.from('{}') });
      }
      expect(await loadOf('slow')).toEqual({ inFlight: 0, queued: 0 });
    },
    { timeout: 60_000 },
  );
  expect(slow.orders.slice(0, made.length).map((order) => order.dispatchId)).toEqual(
    made.map((dispatch) => dispatch.id),
  );
  slow.close();
  line.close();
}, 90_000);
