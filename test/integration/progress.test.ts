import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ControlPlaneClient, type DispatchEvent } from '../../src/client/index.js';
import { noRules } from '../../src/node/plugin-rules.js';
import { bundledPlugins } from '../../src/plugins/bundled.js';
import { admin, type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { LocalNode } from '../support/local-node.js';
import { writePlugin } from '../support/plugin-folder.js';
import { RawNode } from '../support/raw-node.js';

// Real TLS between node and daemon, the real HTTP API, and a plugin in a real process of its own.

const soon = { timeout: 20_000 };

let folder: string;
let local: LocalDaemon;
let client: ControlPlaneClient;
let raw: RawNode;
let device: EnrolledDevice;
const trusted = new Set(['loud']);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'palyra-progress-'));
  writePlugin(folder, {
    name: 'loud',
    handler: `for (let at = 1; at <= input.times; at++) {
      progress(input.bytes ? { at, text: 'x'.repeat(input.bytes) } : { at });
      if (at % 100 === 0) await new Promise(setImmediate);
    }
    return input.times;`,
  });
  local = await LocalDaemon.start(`plugins: { paths: ['${folder}'], enabled: [loud, echo] }`);
  const token = readFileSync(join(local.stateDirectory, 'operator.token'), 'utf8').trim();
  client = new ControlPlaneClient({ baseUrl: local.daemon.addresses.http, token });
  device = await local.enrol('raw');
  raw = await RawNode.connect(local, device);
  await vi.waitFor(() => isOnline('raw'), soon);
});
afterAll(async () => {
  raw.close();
  await local.close();
  rmSync(folder, { recursive: true, force: true });
});

async function isOnline(name: string): Promise<void> {
  const all = await local.daemon.control.inventory.list(admin);
  expect(all.find((one) => one.name === name)).toMatchObject({ presence: 'online' });
}

/** A dispatch that runs at the raw node, and its events. */
async function running(): Promise<{ id: string; events: AsyncIterator<DispatchEvent> }> {
  const { id } = await client.createDispatch({ node: 'raw', capability: 'echo', input: { message: 'x' } });
  await vi.waitFor(() => expect(raw.orders.at(-1)?.dispatchId).toBe(id), soon);
  raw.started(id);
  const events = client.followDispatch(id)[Symbol.asyncIterator]();
  await until(events, (event) => event.event === 'step' && event.data.to === 'running');
  return { id, events };
}

async function until(
  events: AsyncIterator<DispatchEvent>,
  isIt: (event: DispatchEvent) => boolean,
): Promise<readonly DispatchEvent[]> {
  const seen: DispatchEvent[] = [];
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error('The stream ended');
    seen.push(value);
    if (isIt(value)) return seen;
  }
}

const isEnd = ({ event }: DispatchEvent): boolean => event === 'end';

function told(event: DispatchEvent): string {
  if (event.event === 'progress') return `${event.data.sequence} ${JSON.stringify(event.data.value)}`;
  return event.event === 'gap' ? `gap ${event.data.missed}` : event.event;
}

it('carries progress in order from a process to a reader, and every value of a run that is no flood', async () => {
  const rules = { ...noRules, trusted };
  const node = new LocalNode(local, 'desk', undefined, { roots: [bundledPlugins(), folder], rules });
  await node.start(await local.mint());
  await node.report('connected');
  await vi.waitFor(() => isOnline('desk'), soon);
  const follow = async (input: object) => {
    const { id } = await client.createDispatch({ node: 'desk', capability: 'loud.run', input });
    return until(client.followDispatch(id)[Symbol.asyncIterator](), isEnd);
  };
  try {
    const events = await follow({ times: 50 });
    const values = events.flatMap((event) => (event.event === 'progress' ? [event.data] : []));
    expect(values).toEqual(
      Array.from({ length: 50 }, (_, at) => ({ sequence: at + 1, value: { at: at + 1 } })),
    );
    expect(events.at(-1)).toMatchObject({ data: { state: 'succeeded', outcome: { output: 50 } } });
    const flood = await follow({ times: 20_000, bytes: 1_000 });
    const numbers = flood.flatMap((event) => (event.event === 'progress' ? [event.data.sequence] : []));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(flood.at(-1)).toMatchObject({ data: { state: 'succeeded', outcome: { output: 20_000 } } });
  } finally {
    await node.stop();
  }
});

it('goes on after the event that a reader has, over a cut of the node’s line and one of its own', async () => {
  const { id, events } = await running();
  raw.progress(id, 1, '"one"');
  const [first] = await until(events, ({ event }) => event === 'progress');
  await events.return?.();
  raw.close();
  raw = await RawNode.connect(local, device, {
    ticket: raw.ticket,
    inFlight: [{ dispatchId: id, phase: 'started' }],
  });
  await vi.waitFor(() => isOnline('raw'), soon);
  // Two were lost with the line.
  raw.progress(id, 4, '"four"');
  raw.answer({ dispatchId: id, output: Buffer.from('{"message":"x"}') });
  const rest = await until(
    client.followDispatch(id, { after: first?.id ?? '' })[Symbol.asyncIterator](),
    isEnd,
  );
  expect(rest.map(told).filter((text) => text !== 'step')).toEqual(['gap 2', '4 "four"', 'end']);
});

it('drops and counts what a node may not say, and none of it changes a dispatch', async () => {
  const { id, events } = await running();
  const other = await RawNode.connect(local, await local.enrol('other'));
  await vi.waitFor(() => isOnline('other'), soon);
  other.progress(id, 1, '"forged"');
  other.answer({ dispatchId: id, output: Buffer.from('"forged"') });
  raw.progress('dp_00000000000000000000000000', 1, '"unknown"');
  raw.progress(id, 2, '"two"');
  raw.progress(id, 2, '"again"');
  raw.progress(id, 1, '"before"');
  raw.progress(id, 3, JSON.stringify('x'.repeat(70_000)));
  raw.progress(id, 4, 'no json');
  raw.progress(id, 5, '"five"');
  const notes = async (name: string) => (await client.explain(name)).notes.join('\n');
  await expect.poll(() => notes('other'), soon).toContain('1 progress value out of order');
  await expect.poll(() => notes('raw'), soon).toContain('4 progress values out of order');
  expect(await client.getDispatch(id)).toMatchObject({ state: 'running' });
  raw.answer({ dispatchId: id, output: Buffer.from('{"message":"x"}') });
  const seen = await until(events, isEnd);
  expect(seen.map(told)).toEqual(['gap 1', '2 "two"', 'gap 2', '5 "five"', 'end']);
  raw.progress(id, 6, '"late"');
  await expect.poll(() => notes('raw'), soon).toContain('5 progress values');
  other.close();
});
