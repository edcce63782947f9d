import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dispatchError } from '../actors/errors.js';
import { deferred } from '../adapters/http/testing/deferred.js';
import { sampleDeviceId, sampleId } from '../adapters/http/testing/samples.js';
import { startTestServer, type TestServer, tokenOf } from '../adapters/http/testing/test-server.js';
import { contract } from '../contract/contract-version.js';
import { ControlPlaneClient } from './index.js';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4/;

describe('against the real server', () => {
  let test: TestServer;
  let client: ControlPlaneClient;
  beforeEach(async () => {
    test = await startTestServer();
    client = new ControlPlaneClient({ baseUrl: `${test.url}/`, token: tokenOf('admin') });
  });
  afterEach(() => test.server.close(0));

  it('has every operation', async () => {
    const transcript = 'cd'.repeat(32);
    expect((await client.mintPairingCode({ ttlMs: 60_000 })).expiresAt).toBe('2026-01-02T03:05:05.678Z');
    expect((await client.listPairings({ state: ['pending_approval', 'expired'] })).pairings).toHaveLength(1);
    expect((await client.getPairing(sampleId('pr'))).createdAt).toBe('2026-01-02T03:04:05.678Z');
    expect((await client.approvePairing(sampleId('pr'), { transcript, name: 'b' })).decision?.name).toBe('b');
    await expect(client.rejectPairing(sampleId('pr'), { transcript })).rejects.toMatchObject({
      code: 'pairing.decided',
      category: 'conflict',
    });
    expect((await client.inventory()).devices[0]?.deviceId).toBe(sampleDeviceId());
    expect((await client.getDispatch(sampleId('dp'))).outcome?.output).toEqual({ text: 'hello' });
    expect((await client.explain('build-7')).accepts[0]?.event).toBe('cancel');
    expect((await client.listDispatches({ limit: 5 })).dispatches).toHaveLength(1);
    expect((await client.cancelDispatch(sampleId('dp'), 'enough')).state).toBe('running');
    expect(test.control.asked('listPairings')).toEqual([{ states: ['pending_approval', 'expired'] }]);
    expect(test.control.asked('cancelDispatch')).toEqual([{ id: sampleId('dp'), reason: 'enough' }]);
    expect(await client.contract()).toEqual(contract);
  });

  it('rebuilds the errors of the daemon whole', async () => {
    test.control.onCreate = async () => {
      throw dispatchError('unknown_node', 'No node is named bild-7', {
        hint: "Did you mean 'build-7'?",
        fields: [{ field: 'node', message: 'is unknown' }],
      });
    };
    const error = await client
      .createDispatch({ node: 'bild-7', capability: 'echo', input: {} })
      .catch((e) => e);
    expect(error).toMatchObject({
      code: 'dispatch.unknown_node',
      category: 'not_found',
      hint: "Did you mean 'build-7'?",
      fields: [{ field: 'node', message: 'is unknown' }],
      details: { traceId: expect.stringMatching(uuid) },
    });
  });

  it('makes a new key for each dispatch, unless it is given one', async () => {
    const request = { node: 'a', capability: 'echo', input: {} };
    await client.createDispatch(request);
    await client.createDispatch(request);
    await client.createDispatch({ ...request, idempotencyKey: 'mine' });
    await client.createDispatch({ ...request, keyIfNeeded: 'maybe' });
    const asked = test.control.asked('createDispatch') as { keyIfNeeded?: string; idempotencyKey?: string }[];
    expect(asked[0]?.keyIfNeeded).toMatch(uuid);
    expect(asked[1]?.keyIfNeeded).not.toBe(asked[0]?.keyIfNeeded);
    expect(asked[2]).toEqual({ ...request, idempotencyKey: 'mine' });
    expect(asked[3]).toEqual({ ...request, keyIfNeeded: 'maybe' });
  });

  it('waits longer for a dispatch than for anything else', async () => {
    client = new ControlPlaneClient({ baseUrl: test.url, token: tokenOf('admin'), timeoutMs: 300 });
    await client.contract();
    const asked = deferred();
    const answer = deferred();
    const [known] = test.control.known;
    if (!known) throw new Error('the fake knows no dispatch');
    test.control.onCreate = async () => {
      asked.resolve();
      await answer.promise;
      return known;
    };
    const waiting = client.createDispatch({
      node: 'a',
      capability: 'echo',
      input: {},
      timeoutMs: 1,
      wait: true,
    });
    await asked.promise;
    // The same daemon, as slow, for a request that does not wait: that one ends, the dispatch does not.
    const impatient = client.createDispatch({ node: 'a', capability: 'echo', input: {} });
    await expect(impatient).rejects.toMatchObject({
      code: 'client.outcome_unknown',
      details: { idempotencyKey: expect.stringMatching(uuid) },
    });
    answer.resolve();
    expect((await waiting).state).toBe('succeeded');
  });

  it('ends with the reason of the signal', async () => {
    const asked = deferred();
    test.control.onCreate = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const stop = new AbortController();
    const running = client.createDispatch(
      { node: 'a', capability: 'echo', input: {}, wait: true },
      { signal: stop.signal },
    );
    const failure = expect(running).rejects.toThrow('enough of it');
    await asked.promise;
    stop.abort(new Error('enough of it'));
    await failure;
    await expect(client.inventory({}, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
      'before',
    );
  });

  it('does not show the token', () => {
    expect(JSON.stringify(client)).not.toContain('pat_');
  });
});

describe('against servers that fail', () => {
  let server: Server | undefined;
  const seen: string[] = [];
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    seen.length = 0;
  });

  async function clientOf(answer: RequestListener, options: { timeoutMs?: number } = {}) {
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`.trim());
      answer(request, response);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return new ControlPlaneClient({ baseUrl: `http://127.0.0.1:${port}`, token: 'pat_secret', ...options });
  }

  /** A daemon that speaks the contract, and does that with everything else. */
  const ours =
    (then: RequestListener): RequestListener =>
    (request, response) => {
      if (request.url === '/v1/contract') response.end(JSON.stringify(contract));
      else then(request, response);
    };

  const dispatch = { node: 'a', capability: 'echo', input: {} };

  it('says that nothing listens, and how to start it', async () => {
    const client = await clientOf(() => {});
    await new Promise((resolve) => server?.close(resolve));
    for (const operation of [client.inventory(), client.createDispatch(dispatch)]) {
      await expect(operation).rejects.toMatchObject({
        code: 'client.unreachable',
        category: 'unavailable',
        message: expect.stringContaining(`${client.baseUrl}: nothing listens there`),
        hint: expect.stringContaining('palyrad'),
      });
    }
  });

  it('calls a lost answer unknown, with the key to ask again, and does not ask again itself', async () => {
    const client = await clientOf(ours((request) => request.socket.destroy()));
    await expect(client.createDispatch({ ...dispatch, idempotencyKey: 'k-1' })).rejects.toMatchObject({
      code: 'client.outcome_unknown',
      category: 'precondition',
      hint: expect.stringContaining('k-1'),
      details: { idempotencyKey: 'k-1' },
    });
    await expect(client.cancelDispatch(sampleId('dp'))).rejects.toMatchObject({
      code: 'client.outcome_unknown',
    });
    expect(seen.filter((line) => line.startsWith('POST'))).toHaveLength(2);
  });

  it('calls half an answer unknown too', async () => {
    const client = await clientOf(
      ours((request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"id":', () => request.socket.destroy());
      }),
    );
    await expect(client.createDispatch(dispatch)).rejects.toMatchObject({ code: 'client.outcome_unknown' });
  });

  it('tries a GET once more when its connection breaks', async () => {
    let breaks = 1;
    const client = await clientOf(
      ours((request, response) => {
        if (breaks-- > 0) request.socket.destroy();
        else response.end('{"devices":[]}');
      }),
    );
    expect(await client.inventory()).toEqual({ devices: [] });
    breaks = 2;
    await expect(client.inventory()).rejects.toMatchObject({ code: 'client.unreachable' });
    expect(seen.filter((line) => line.startsWith('GET /v1/inventory'))).toHaveLength(4);
  });

  it('gives up on a silent server', async () => {
    const client = await clientOf(
      ours(() => {}),
      { timeoutMs: 200 },
    );
    await expect(client.inventory()).rejects.toMatchObject({ code: 'client.timeout', category: 'timeout' });
  });

  it('refuses another major of the contract, and asks nothing more of that server', async () => {
    const client = await clientOf((_request, response) => {
      response.end(JSON.stringify({ ...contract, major: 2, minor: 4 }));
    });
    await expect(client.inventory()).rejects.toMatchObject({
      code: 'client.contract_mismatch',
      message: expect.stringContaining('palyra.control 2.4'),
      hint: 'Upgrade this program.',
    });
    expect(seen).toEqual(['GET /v1/contract']);
  });

  it('sends the token to nobody who does not speak the contract', async () => {
    const client = await clientOf((_request, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not here</h1>');
    });
    await expect(client.inventory()).rejects.toMatchObject({
      code: 'client.bad_response',
      message: expect.stringContaining('404'),
    });
    expect(seen.join()).not.toContain('pat_secret');
  });

  it('asks for the contract again after it could not be had', async () => {
    let breaks = 2;
    const client = await clientOf((request, response) => {
      if (breaks-- > 0) request.socket.destroy();
      else response.end(JSON.stringify(request.url === '/v1/contract' ? contract : { devices: [] }));
    });
    await expect(client.inventory()).rejects.toMatchObject({ code: 'client.unreachable' });
    expect(await client.inventory()).toEqual({ devices: [] });
    await client.inventory();
    expect(seen.filter((line) => line === 'GET /v1/contract')).toHaveLength(3);
  });

  it('takes http and https URLs only', () => {
    for (const baseUrl of ['palyra', 'ftp://a', 'http://u:p@a', '']) {
      expect(() => new ControlPlaneClient({ baseUrl })).toThrowError(
        expect.objectContaining({ code: 'client.invalid_url' }),
      );
    }
  });
});
