import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readTokenFile } from '../../src/adapters/http/operator-token.js';
import { ControlPlaneClient, type Fanout } from '../../src/client/index.js';
import { admin, LocalDaemon } from '../support/local-daemon.js';
import { RawNode } from '../support/raw-node.js';

const names = ['web-1', 'web-2', 'web-3', 'web-4'] as const;
let local: LocalDaemon;
let client: ControlPlaneClient;
const nodes = new Map<string, RawNode>();

beforeAll(async () => {
  local = await LocalDaemon.start();
  for (const name of [...names].reverse())
    nodes.set(name, await RawNode.connect(local, await local.enrol(name)));
  const away = await RawNode.connect(local, await local.enrol('away'));
  await vi.waitFor(async () => {
    const all = await local.daemon.control.inventory.list(admin);
    expect(all.filter(({ presence }) => presence === 'online')).toHaveLength(names.length + 1);
  });
  away.close();
  await vi.waitFor(async () => {
    const all = await local.daemon.control.inventory.list(admin);
    expect(all.filter(({ presence }) => presence === 'online')).toHaveLength(names.length);
  });
  const token = await readTokenFile(`${local.stateDirectory}/operator.token`);
  if (token === undefined) throw new Error('There is no token');
  client = new ControlPlaneClient({ baseUrl: local.daemon.addresses.http, token });
});
afterAll(async () => {
  for (const node of nodes.values()) node.close();
  await local.close();
});

const echo = { capability: 'echo', input: { message: 'hi' } } as const;
const web = { ...echo, selector: 'name:web-*' } as const;

/** What the nodes have been told to run for a fan-out and have not answered, by their names. */
const answered = new Set<string>();
async function waiting(fanout: Pick<Fanout, 'id'>): Promise<ReadonlyMap<string, string>> {
  const { members } = await client.fanouts.get(fanout.id);
  const ids = new Set(members.map(({ dispatchId }) => dispatchId));
  const open = [...nodes].flatMap(([name, { orders }]) =>
    orders
      .filter(({ dispatchId }) => ids.has(dispatchId) && !answered.has(dispatchId))
      .map(({ dispatchId }) => [name, dispatchId] as const),
  );
  return new Map(open);
}

function answer(name: string, dispatchId: string, outcome: 'succeeded' | 'failed'): void {
  answered.add(dispatchId);
  const output = outcome === 'succeeded' ? Buffer.from(JSON.stringify({ message: 'hi' })) : new Uint8Array(0);
  nodes.get(name)?.answer({ dispatchId, outcome, output });
}

const statesOf = ({ members }: Fanout): Readonly<Record<string, string>> =>
  Object.fromEntries(members.map(({ name, state }) => [name, state]));

async function ended(fanout: Pick<Fanout, 'id'>): Promise<Fanout> {
  let last: Fanout | undefined;
  for await (const seen of client.fanouts.follow(fanout.id)) last = seen;
  expect(last?.finishedAt).toBeDefined();
  return client.fanouts.get(fanout.id);
}

it('shows first what would become of each target, in the order of names, and runs nothing', async () => {
  const plan = await client.fanouts.plan({ ...echo, all: true });
  expect(plan.targets.map(({ name, presence, verdict }) => [name, presence, verdict])).toEqual([
    ['away', 'offline', 'skip'],
    ...names.map((name) => [name, 'online', 'run']),
  ]);
  expect(plan.targets[0]?.error?.code).toBe('dispatch.node_offline');
  const queued = await client.fanouts.plan({ ...echo, all: true, queue: true });
  expect(queued.targets.map(({ name, verdict }) => [name, verdict]).at(-1)).toEqual(['away', 'queue']);
  expect(queued.targetsDigest).toBe(plan.targetsDigest);
  const asked = await client.fanouts.plan({
    selector: 'web-1',
    capability: 'desktop.open_url',
    input: { url: 'https://example.com/' },
  });
  expect(asked.targets[0]?.verdict).toBe('ask');
  const wrong = await client.fanouts.plan({ ...web, input: 7 });
  expect(wrong.targets.map(({ error }) => error?.code)).toEqual(names.map(() => 'dispatch.invalid_input'));
  for (const { orders } of nodes.values()) expect(orders).toEqual([]);
});

it('has no more under way than the batch, and takes the next as soon as one has ended', async () => {
  const fanout = await client.fanouts.create({ ...web, batch: 2 });
  const order: string[] = [];
  for (let left = names.length; left > 0; left -= 1) {
    const open = await vi.waitFor(async () => {
      const found = await waiting(fanout);
      expect(found.size).toBe(Math.min(2, left));
      return found;
    });
    const [name, dispatchId] = [...open].sort()[0] ?? ['', ''];
    order.push(name);
    answer(name, dispatchId, 'succeeded');
  }
  const over = await ended(fanout);
  expect(over).toMatchObject({ state: 'succeeded', counts: { succeeded: 4 }, selector: 'name:web-*' });
  expect(order).toEqual(names);
  const first = over.members[0]?.dispatchId ?? '';
  expect(await client.getDispatch(first)).toMatchObject({ fanout: fanout.id, repeatable: false });
});

it('starts no more after so many failures, and leaves those under way their end', async () => {
  const fanout = await client.fanouts.create({ ...web, batch: 2, stopAfterFailures: 1 });
  const open = await vi.waitFor(async () => {
    const found = await waiting(fanout);
    expect(found.size).toBe(2);
    return found;
  });
  answer('web-1', open.get('web-1') ?? '', 'failed');
  await vi.waitFor(async () => expect((await client.fanouts.get(fanout.id)).state).toBe('stopping'));
  answer('web-2', open.get('web-2') ?? '', 'succeeded');
  const over = await ended(fanout);
  expect(over.state).toBe('stopped');
  expect(statesOf(over)).toEqual({
    'web-1': 'failed',
    'web-2': 'succeeded',
    'web-3': 'not_started',
    'web-4': 'not_started',
  });
  const explained = await client.explain(fanout.id);
  expect(explained).toMatchObject({
    kind: 'fanout',
    state: 'stopped',
    ended: true,
    title: 'echo on name:web-*',
  });
  expect(explained.notes.join()).toContain('2 not_started');
  expect(explained.history.map(({ to }) => to)).toEqual(['running', 'stopping', 'stopped']);
});

it('keeps the ended dispatches of a fan-out that goes on, which would make them again after a crash', async () => {
  const fanout = await client.fanouts.create({ ...web, batch: 2 });
  const first = await vi.waitFor(async () => {
    const found = await waiting(fanout);
    expect(found.size).toBe(2);
    return found;
  });
  const id = first.get('web-1') ?? '';
  answer('web-1', id, 'succeeded');
  await client.awaitDispatch(id);
  const prune = async (): Promise<number> => {
    await client.pruneDispatches({ olderThanMs: 0 });
    return vi.waitFor(async () => {
      const { job } = await client.pruning();
      expect(job?.state).toBe('done');
      return job?.pruned ?? 0;
    });
  };
  await prune();
  expect((await client.getDispatch(id)).state).toBe('succeeded');
  await vi.waitFor(async () => {
    for (const [name, dispatchId] of await waiting(fanout)) answer(name, dispatchId, 'succeeded');
    expect((await client.fanouts.get(fanout.id)).finishedAt).toBeDefined();
  });
  await vi.waitFor(async () => {
    await prune();
    await expect(client.getDispatch(id)).rejects.toMatchObject({ code: 'dispatch.not_found' });
  });
});

it('skips what is offline, and cancels what is under way and what is queued', async () => {
  const skipped = await client.fanouts.create({ ...echo, selector: 'away' });
  expect(statesOf(await ended(skipped))).toEqual({ away: 'skipped' });
  const fanout = await client.fanouts.create({ ...echo, selector: 'away or web-1', queue: true });
  const open = await vi.waitFor(async () => {
    const found = await waiting(fanout);
    expect(found.size).toBe(1);
    expect(statesOf(await client.fanouts.get(fanout.id))).toEqual({ away: 'started', 'web-1': 'started' });
    return found;
  });
  const cancelling = await client.fanouts.cancel(fanout.id, 'enough');
  expect(cancelling).toMatchObject({ state: 'cancelling', cancelRequestedBy: 'operator:local' });
  const dispatchId = open.get('web-1') ?? '';
  await vi.waitFor(() => expect(nodes.get('web-1')?.cancels).toContain(dispatchId));
  nodes.get('web-1')?.answer({ dispatchId, outcome: 'cancelled', output: new Uint8Array(0) });
  const over = await ended(fanout);
  expect(statesOf(over)).toEqual({ away: 'cancelled', 'web-1': 'cancelled' });
  expect(over.state).toBe('cancelled');
  await expect(client.fanouts.cancel(fanout.id)).rejects.toMatchObject({ code: 'fanout.already_ended' });
});

it('takes the first of the order by a number or a part, one at least', async () => {
  const count = async (limit: string) => (await client.fanouts.plan({ ...web, limit })).targets.length;
  expect(await Promise.all(['1', '3', '9', '10%', '50%', '74%', '75%', '100%'].map(count))).toEqual([
    1, 3, 4, 1, 2, 2, 3, 4,
  ]);
  const plan = await client.fanouts.plan({ ...web, limit: '50%' });
  expect(plan.targets.map(({ name }) => name)).toEqual(['web-1', 'web-2']);
  expect(plan.matched).toBe(4);
  await expect(client.fanouts.plan({ ...web, limit: '101%' })).rejects.toMatchObject({
    code: 'fanout.bad_request',
  });
});

it('runs nothing when other targets are meant than were counted on', async () => {
  const { targetsDigest } = await client.fanouts.plan({ ...web, limit: '2' });
  const refused = (request: object) =>
    client.fanouts.create({ ...web, ...request }).catch((error: { code: string }) => error.code);
  expect(await refused({ expect: 3 })).toBe('fanout.unexpected_count');
  expect(await refused({ targetsDigest })).toBe('fanout.targets_changed');
  expect(await refused({ selector: 'role=edge' })).toBe('selector.matches_nothing');
  expect(await refused({ all: true })).toBe('fanout.bad_request');
  const { fanouts } = await client.fanouts.list({ state: ['running', 'stopping', 'cancelling'] });
  expect(fanouts).toEqual([]);
});

it('makes one fan-out of one key', async () => {
  const request = { ...echo, selector: 'away', idempotencyKey: 'roll-1' };
  const [one, two] = await Promise.all([client.fanouts.create(request), client.fanouts.create(request)]);
  expect(one.id).toBe(two.id);
  await expect(client.fanouts.create({ ...request, selector: 'web-1' })).rejects.toMatchObject({
    code: 'fanout.key_conflict',
  });
});
