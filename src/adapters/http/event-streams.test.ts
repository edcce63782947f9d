import { get, type IncomingMessage } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import type { DispatchHappening } from '../../actors/dispatch/view.js';
import { dispatchError } from '../../actors/errors.js';
import { deferred } from './testing/deferred.js';
import { sampleDispatch, sampleId } from './testing/samples.js';
import { startTestServer, type TestServer, tokenOf } from './testing/test-server.js';

const path = `/v1/dispatches/${sampleId('dp')}/events`;
const limits = { body: 1_000, headers: 16_384, connections: 10, arrivalMs: 30_000, streams: 2 };

let test: TestServer;
afterEach(() => test.server.close(0));

function open(query = '', headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const all = { authorization: `Bearer ${tokenOf('viewer')}`, ...headers };
  return new Promise((resolve, reject) => {
    get(`${test.url}${path}${query}`, { headers: all, agent: false }, resolve).on('error', reject);
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return text;
}

const progress = (sequence: number, value: unknown): DispatchHappening => ({
  event: 'progress',
  at: { steps: 1, epoch: 2, sequence },
  sequence,
  value,
});

/** Events until the reader is gone. */
function endless(bytes: number, taken: (count: number) => void, ended: () => void) {
  return async function* (signal: AbortSignal) {
    try {
      for (let at = 1; !signal.aborted; at++) {
        taken(at);
        yield progress(at, 'x'.repeat(bytes));
      }
    } finally {
      ended();
    }
  };
}

/** Nothing until the reader is gone. */
async function* quiet(signal: AbortSignal): AsyncGenerator<DispatchHappening> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

it('writes each event with its id, on one line of data, and no proxy keeps it', async () => {
  test = await startTestServer();
  test.control.happenings = async function* () {
    yield progress(7, 'a\nb\u2028data: forged\n\nevent: end');
  };
  const answer = await open();
  expect(answer.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const data = '{"sequence":7,"value":"a\\nb\u2028data: forged\\n\\nevent: end"}';
  expect(await textOf(answer)).toBe(`event: progress\nid: 1.2.7\ndata: ${data}\n\n`);
});

it('goes on after the header, else after the query, and refuses what is no id of an event', async () => {
  test = await startTestServer();
  await textOf(await open('?after=1.2.3'));
  await textOf(await open('?after=1.2.3', { 'last-event-id': '4.5.6' }));
  expect(test.control.calls.map(({ request }) => request)).toMatchObject([
    { after: { steps: 1, epoch: 2, sequence: 3 } },
    { after: { steps: 4, epoch: 5, sequence: 6 } },
  ]);
  for (const [query, header] of [
    ['?after=1.2', {}],
    ['?from=1.2.3', {}],
    ['', { 'last-event-id': '1.2.-3' }],
  ] as const) {
    const answer = await open(query, header);
    expect([answer.statusCode, JSON.parse(await textOf(answer)).error.code]).toEqual([
      422,
      'http.invalid_request',
    ]);
  }
});

it('answers with an error in place of the stream where there is nothing to follow', async () => {
  test = await startTestServer();
  test.control.happenings = () => {
    throw dispatchError('not_found', 'There is none');
  };
  const answer = await open();
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([
    404,
    'application/json; charset=utf-8',
  ]);
});

it('keeps a quiet connection awake with comments', async () => {
  test = await startTestServer({ limits: { ...limits, processingMs: 10 } });
  test.control.happenings = quiet;
  const answer = await open();
  const [chunk] = await new Promise<readonly string[]>((resolve) =>
    answer.setEncoding('utf8').once('data', (text: string) => resolve([text])),
  );
  expect(chunk).toBe(':\n\n');
  answer.destroy();
});

it('opens so many and no more, and another once one is closed', async () => {
  test = await startTestServer({ limits: { ...limits, processingMs: 1_000 } });
  test.control.happenings = quiet;
  const first = await open();
  await open();
  const refused = await open();
  expect(refused.statusCode).toBe(429);
  expect(JSON.parse(await textOf(refused)).error).toMatchObject({
    code: 'http.too_many_streams',
    retryable: true,
    message: '2 streams of events are open already',
  });
  first.destroy();
  await expect.poll(async () => (await open()).statusCode).toBe(200);
});

it('takes no event that its reader has no room for, and cuts one off that takes nothing', async () => {
  test = await startTestServer({ limits: { ...limits, processingMs: 50 } });
  let taken = 0;
  const ended = deferred();
  const note = (count: number): void => {
    taken = count;
  };
  test.control.happenings = endless(100_000, note, () => ended.resolve());
  const answer = await open();
  answer.pause();
  answer.on('error', () => undefined);
  await ended.promise;
  // What the kernel's buffers took, and one more.
  expect(taken * 100_000).toBeLessThan(64 * 1024 * 1024);
});

it('ends its streams when the server stops', async () => {
  test = await startTestServer();
  test.control.happenings = quiet;
  const text = textOf(await open());
  await test.server.close(60_000);
  expect(await text).toBe('');
});

it('cuts a stream whose source fails: the reader is told when it comes back', async () => {
  test = await startTestServer();
  test.control.happenings = async function* () {
    yield progress(1, sampleDispatch().id);
    throw new Error('the store is gone');
  };
  await expect(open().then(textOf)).rejects.toThrow('aborted');
});
