import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ControlPlaneClient } from '../../src/client/index.js';
import { Cluster, type Program } from '../support/cluster.js';

interface Run {
  readonly state: string;
  readonly outcome?: { readonly output?: unknown; readonly error?: { readonly code: string } };
}

const coldCalls = 1_000;

let cluster: Cluster;
let daemon: Program;
let node: Program;

beforeAll(async () => {
  cluster = new Cluster();
  daemon = await cluster.daemon();
  node = await cluster.pairedNode('worker');
}, 60_000);
afterAll(() => cluster.close());

async function invoke(capability: string, input: unknown): Promise<Run> {
  const result = await cluster.palyra(
    ['invoke', 'worker', capability, '--input', '-', '--json'],
    JSON.stringify(input),
  );
  return result.json<Run>();
}

function client(): ControlPlaneClient {
  const token = readFileSync(`${cluster.directory}/daemon/operator.token`, 'utf8').trim();
  const baseUrl = readFileSync(`${cluster.directory}/daemon/control.url`, 'utf8').trim();
  return new ControlPlaneClient({ baseUrl, token });
}

describe('daemon and node host as real processes', () => {
  it('prints where the daemon is as its first line', () => {
    expect(daemon.messages[0]).toEqual({
      event: 'ready',
      http: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      enrollment: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      node: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      caFingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('runs all three bundled capabilities', async () => {
    expect(await invoke('echo', { message: 'hello' })).toMatchObject({
      state: 'succeeded',
      outcome: { output: { message: 'hello' } },
    });
    expect(await invoke('system.health', {})).toMatchObject({
      state: 'succeeded',
      outcome: { output: { memory: { totalBytes: expect.any(Number) }, uptimeSeconds: expect.any(Number) } },
    });
    const run = invoke('desktop.open_url', { url: 'https://example.com/a' });
    const question = await node.event('mediation');
    expect(question).toMatchObject({
      capability: 'desktop.open_url',
      input: { url: 'https://example.com/a' },
    });
    node.say({ answer: 'allow', dispatchId: question.dispatchId });
    expect((await run).state).toBe('succeeded');
    expect(readFileSync(cluster.openedFile, 'utf8')).toBe('https://example.com/a\n');
  });

  it('runs nothing that the person at the node denies', async () => {
    const from = node.messages.length;
    const run = invoke('desktop.open_url', { url: 'https://example.com/denied' });
    const question = await node.event('mediation', from);
    node.say({ answer: 'deny', dispatchId: question.dispatchId });
    expect(await run).toMatchObject({ state: 'rejected', outcome: { reason: 'mediation_denied' } });
    expect(readFileSync(cluster.openedFile, 'utf8')).not.toContain('denied');
  });

  it('remembers a yes over kill -9 of the node, until it is taken back while the host runs', async () => {
    const api = client();
    const create = (url: string) =>
      api.createDispatch({ node: 'worker', capability: 'desktop.open_url', input: { url } });
    const settled = async (id: string) => {
      for (;;) {
        const { state, outcome } = await api.getDispatch(id);
        if (outcome !== undefined) return { ...outcome, id, state };
      }
    };
    let from = node.messages.length;
    const { id } = await create('https://remembered.example/a');
    const question = await node.message((message) => message.dispatchId === id, from);
    expect(question).toMatchObject({
      event: 'mediation',
      title: 'Open a web page',
      plugin: 'desktop-open-url',
      remember: { by: 'origin', value: 'https://remembered.example', mostMs: 8 * 3_600_000 },
    });
    // Callers see that a person is asked.
    while ((await api.getDispatch(id)).state !== 'awaiting_local_mediation');
    expect((await api.explain(id)).description).toContain('A person at the node is asked');
    node.say({ answer: 'allow', dispatchId: id, remember: '1h' });
    expect(await settled(id)).toMatchObject({
      state: 'succeeded',
      allowed: { by: 'person', until: expect.stringMatching(/Z$/) },
    });

    await node.kill('SIGKILL');
    node = cluster.node();
    await node.event('connected');
    from = node.messages.length;
    const again = await settled((await create('https://remembered.example/b?c')).id);
    expect(again).toMatchObject({ state: 'succeeded', allowed: { by: 'remembered' } });
    expect((await api.explain(again.id)).notes.join()).toContain('allowed the same before');
    expect(node.messages.slice(from).filter(({ event }) => event === 'mediation')).toEqual([]);

    expect((await cluster.palyra(['node', 'answers', 'forget', '--all', '--json'])).json()).toEqual({
      forgotten: 1,
    });
    const last = await create('https://remembered.example/c');
    await node.message(({ event, dispatchId }) => event === 'mediation' && dispatchId === last.id);
    node.say({ answer: 'deny', dispatchId: last.id });
    expect(await settled(last.id)).toMatchObject({ state: 'rejected', reason: 'mediation_denied' });
  });

  it('keeps the join string out of the command line of the node host', () => {
    const commandLine = readFileSync(`/proc/${node.child.pid}/cmdline`, 'utf8');
    expect(commandLine).not.toContain('palyra://');
  });

  it('takes a dispatch with one push: the median of 200 in sequence is printed', async () => {
    const api = client();
    const times: number[] = [];
    // The first thousand calls run in code that is not compiled yet, on all three sides.
    for (let i = 0; i < coldCalls + 200; i++) {
      const started = performance.now();
      await api.createDispatch({
        node: 'worker',
        capability: 'echo',
        input: { message: `${i}` },
        wait: true,
      });
      times.push(performance.now() - started);
    }
    const warm = times.slice(coldCalls).sort((a, b) => a - b);
    console.log(
      `echo over HTTP, 200 in sequence after ${coldCalls} to warm up: median ${warm[100]?.toFixed(2)} ms, p95 ${warm[190]?.toFixed(2)} ms`,
    );
    expect(warm).toHaveLength(200);
  }, 60_000);

  it('goes on after kill -9 of the daemon: the node comes back by itself, without pairing again', async () => {
    const from = node.messages.length;
    await daemon.kill('SIGKILL');
    await node.event('disconnected', from);
    daemon = await cluster.daemon();
    await node.event('connected', from);
    expect((await invoke('echo', { message: 'after the daemon' })).state).toBe('succeeded');
    expect(node.messages.slice(from).some((message) => message.event === 'pending_approval')).toBe(false);
  }, 60_000);

  it('goes on after kill -9 of the node: it starts again without a join string', async () => {
    await node.kill('SIGKILL');
    node = cluster.node();
    await node.event('connected');
    expect((await invoke('echo', { message: 'after the node' })).state).toBe('succeeded');
  }, 60_000);

  it('lists the node with what may run on it', async () => {
    const { devices } = (await cluster.palyra(['inventory', '--json'])).json<{ devices: unknown[] }>();
    expect(devices).toEqual([
      expect.objectContaining({
        name: 'worker',
        trust: 'trusted',
        presence: 'online',
        capabilities: expect.arrayContaining([
          expect.objectContaining({ capability: 'echo', status: 'available' }),
        ]),
      }),
    ]);
  });

  it('ends with exit code 0 on SIGTERM, the node first', async () => {
    expect(await node.kill('SIGTERM')).toBe(0);
    expect(await daemon.kill('SIGTERM')).toBe(0);
    // Where it was, rather than where another one may listen on this machine.
    cluster.variables.PALYRA_URL = String(daemon.messages[0]?.http);
    const result = await cluster.palyra(['inventory']);
    expect(result.code).toBe(4);
    expect(result.stderr).toContain('palyrad');
  });
});

describe('what is refused, from the command line', () => {
  let own: Cluster;
  beforeAll(async () => {
    own = new Cluster();
    await own.daemon();
    await own.pairedNode('worker');
  }, 60_000);
  afterAll(() => own.close());

  it.each([
    ['an unknown capability', ['invoke', 'worker', 'system.heath', '--input', '{}'], 7, 'system.health'],
    ['an unknown node', ['invoke', 'wrker', 'echo', '--input', '{"message":"x"}'], 7, 'worker'],
    ['input that breaks its schema', ['invoke', 'worker', 'echo', '--input', '{"message":7}'], 2, 'message'],
    ['input that is not JSON', ['invoke', 'worker', 'echo', '--input', '{"message":'], 2, '--input'],
    ['an unknown option', ['inventory', '--jsn'], 2, '--json'],
    ['an unknown command', ['inventry'], 2, 'inventory'],
  ])('%s', async (_what, args, code, mention) => {
    const result = await own.palyra(args);
    expect(result.stderr).toContain(mention);
    expect(result.code).toBe(code);
  });

  it('a second daemon on the same state directory, with the pid of the first', async () => {
    const second = await own.daemon().catch((error: Error) => error);
    expect(String(second)).toMatch(/pid \d+/);
  });

  it('a node that is not paired, with what to do', async () => {
    const other = new Cluster();
    const host = other.node();
    expect(await host.exited).toBe(6);
    expect(host.messages.at(-1)).toMatchObject({
      error: { code: 'node.not_paired', hint: expect.stringContaining('palyra pair') },
    });
    await other.close();
  });

  it('a join string with a wrong part, which is named', async () => {
    const other = new Cluster();
    const host = other.node('palyra://join/v1/127.0.0.1:7443/short/pc_0/x');
    expect(await host.exited).toBe(2);
    expect(JSON.stringify(host.messages.at(-1))).toContain('CA');
    await other.close();
  });

  it('every command of the operator before the daemon has ever run', async () => {
    const other = new Cluster();
    const result = await other.palyra(['inventory']);
    expect(result.code).toBe(3);
    expect(result.stderr).toContain('palyrad');
    await other.close();
  });
});
