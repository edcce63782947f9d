import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { sampleDispatch, sampleId } from '../adapters/http/testing/samples.js';
import { startTestServer, tokenOf } from '../adapters/http/testing/test-server.js';
import { contract } from '../contract/contract-version.js';
import { ControlPlaneClient } from './index.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const id = sampleId('dp');

async function collect(client: ControlPlaneClient, after?: string): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const event of client.followDispatch(id, after === undefined ? {} : { after })) {
    all.push(event.event === 'progress' ? `progress ${event.data.value}` : event.event);
  }
  return all;
}

/** A server whose streams the test writes by hand, cut where it likes. */
async function handWritten(stream: RequestListener): Promise<ControlPlaneClient> {
  const server = createServer((request, response) => {
    if (request.url === '/v1/contract') response.end(JSON.stringify(contract));
    else stream(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return new ControlPlaneClient({ baseUrl: `http://127.0.0.1:${port}`, token: 'pat_test' });
}

const progress = (sequence: number): string =>
  `event: progress\nid: 1.1.${sequence}\ndata: {"sequence":${sequence},"value":${sequence}}\n\n`;
const end = `event: end\nid: 2.1.9\ndata: ${JSON.stringify(sampleDispatch())}\n\n`;

it('follows the real server to the end', async () => {
  const test = await startTestServer();
  ends.push(() => test.server.close(0));
  const client = new ControlPlaneClient({ baseUrl: test.url, token: tokenOf('viewer') });
  expect(await collect(client, '1.2.3')).toEqual(['step', 'gap', 'progress [object Object]', 'end']);
  expect(test.control.asked('followDispatch')).toEqual([{ id, after: { steps: 1, epoch: 2, sequence: 3 } }]);
});

it('goes on after the last whole event when the stream is cut, ends, or the daemon is busy', async () => {
  const asked: (string | undefined)[] = [];
  const client = await handWritten((request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined);
    const head = (): unknown => response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (asked.length === 2) {
      response.writeHead(503, { 'content-type': 'application/json' });
      const error = { code: 'http.unavailable', category: 'unavailable', retryable: true, message: 'no' };
      response.end(JSON.stringify({ error: { ...error, traceId: 't' } }));
      return;
    }
    head();
    if (asked.length === 1) {
      response.write(`:\n\n${progress(1)}${progress(2)}event: progress\nid: 1.1.3\ndata: {"seq`, () =>
        response.destroy(),
      );
    } else if (asked.length === 3) response.end(progress(3));
    else response.end(progress(4) + end);
  });
  expect(await collect(client)).toEqual(['progress 1', 'progress 2', 'progress 3', 'progress 4', 'end']);
  expect(asked).toEqual([undefined, '1.1.2', '1.1.2', '1.1.3']);
});

it('fails at once where it can not begin, where it may not, and where no palyra is', async () => {
  const nowhere = new ControlPlaneClient({ baseUrl: 'http://127.0.0.1:1', token: 't' });
  await expect(collect(nowhere)).rejects.toMatchObject({ code: 'client.unreachable' });
  const test = await startTestServer();
  ends.push(() => test.server.close(0));
  const stranger = new ControlPlaneClient({ baseUrl: test.url, token: 'pat_wrong' });
  await expect(collect(stranger)).rejects.toMatchObject({ code: 'http.unauthenticated' });
  const other = await handWritten((_request, response) => response.end('<html>'));
  await expect(collect(other)).rejects.toMatchObject({ code: 'client.bad_response' });
  const broken = await handWritten((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end('event: progress\ndata: {no json\n\n');
  });
  await expect(collect(broken)).rejects.toMatchObject({ code: 'client.bad_response' });
});

it('stops at the signal, also while it waits for the next event', async () => {
  const stop = new AbortController();
  const client = await handWritten((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(progress(1));
  });
  const seen: string[] = [];
  const following = async (): Promise<void> => {
    for await (const { id: at } of client.followDispatch(id, { signal: stop.signal })) {
      seen.push(at);
      setImmediate(() => stop.abort(new Error('enough')));
    }
  };
  await expect(following()).rejects.toThrow('enough');
  expect(seen).toEqual(['1.1.1']);
});
