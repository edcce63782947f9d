import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DispatchRecord } from '../../actors/dispatch/record.js';
import { dispatchError } from '../../actors/errors.js';
import type { ErrorBody } from '../../contract/error.js';
import { ErrorBodySchema } from '../../contract/error.js';
import type { RouteEntry } from '../../contract/route-entry.js';
import { routeSchemas } from '../../contract/route-schemas.js';
import { isStream, routeNames, routes } from '../../contract/route-table.js';
import { AppError } from '../../kernel/errors.js';
import { defaultHttpLimits, httpApp } from './http-app.js';
import { createHttpServer } from './http-server.js';
import { deferred } from './testing/deferred.js';
import { sampleDeviceId, sampleDispatch, sampleId } from './testing/samples.js';
import { startTestServer, type TestServer, tokenOf } from './testing/test-server.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const ajv = new Ajv2020({ strict: true, allErrors: true });
const isErrorBody = ajv.compile<ErrorBody>(ErrorBodySchema);

let test: TestServer;
beforeEach(async () => {
  test = await startTestServer();
});
afterEach(() => test.server.close(0));

/** Node's own client, which lets a test send any Host and Origin. */
function send(
  method: string,
  path: string,
  { body, headers = {} }: { body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(test.url + path, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    request.on('error', reject).end(body);
  });
}

const admin = { authorization: `Bearer ${tokenOf('admin')}` };
const json = { ...admin, 'content-type': 'application/json' };

function errorOf(answer: Answer): ErrorBody['error'] {
  const body: unknown = JSON.parse(answer.text);
  if (!isErrorBody(body)) throw new Error(`${answer.text}: ${ajv.errorsText(isErrorBody.errors)}`);
  return body.error;
}

/** The events of a stream, as WHATWG HTML takes them apart. */
function eventsIn(text: string): readonly { event: string; id: string; data: unknown }[] {
  const blocks = text.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'));
  return blocks.map((block) => {
    const fields = new Map(
      block.split('\n').map((line) => /^(\w+): (.*)$/.exec(line)?.slice(1) as [string, string]),
    );
    return {
      event: fields.get('event') ?? '',
      id: fields.get('id') ?? '',
      data: JSON.parse(fields.get('data') ?? '') as unknown,
    };
  });
}

const create = (body: unknown, headers: Record<string, string> = json) =>
  send('POST', '/v1/dispatches', { body: JSON.stringify(body), headers });

const samples = new Map<string, { path?: string; body?: object }>([
  ['mintPairingCode', { body: { ttlMs: 60_000, labels: { team: 'infra' } } }],
  ['getPairingCode', { path: `/v1/pairing-codes/${sampleId('pc')}` }],
  ['cancelPairingCode', { path: `/v1/pairing-codes/${sampleId('pc')}/cancel`, body: { reason: 'lost' } }],
  ['unlockPinPairing', { body: { reason: 'it was me' } }],
  ['cancelPairing', { path: `/v1/pairings/${sampleId('pr')}/cancel`, body: { reason: 'a mistake' } }],
  ['getPairing', { path: `/v1/pairings/${sampleId('pr')}` }],
  [
    'approvePairing',
    { path: `/v1/pairings/${sampleId('pr')}/approve`, body: { transcript: 'cd'.repeat(32) } },
  ],
  ['rejectPairing', { path: `/v1/pairings/${sampleId('pr')}/reject`, body: { transcript: 'cd'.repeat(32) } }],
  ['getDevice', { path: `/v1/devices/${sampleDeviceId()}` }],
  ['getAuthority', { path: '/v1/authority' }],
  ['rotateAuthority', { path: '/v1/authority/rotate', body: {} }],
  ['forgetAuthority', { path: '/v1/authority/forget', body: { fingerprint: 'ab'.repeat(32) } }],
  ['rotateDevice', { path: `/v1/devices/${sampleDeviceId()}/rotate`, body: {} }],
  [
    'decideClone',
    { path: `/v1/devices/${sampleDeviceId()}/clone`, body: { action: 'reject', reason: 'a copy' } },
  ],
  ['renameDevice', { path: `/v1/devices/${sampleDeviceId()}/rename`, body: { name: 'lab' } }],
  [
    'labelDevice',
    { path: `/v1/devices/${sampleDeviceId()}/labels`, body: { labels: { role: 'edge' }, remove: ['site'] } },
  ],
  ...(['revoke', 'remove', 'ban', 'lift'] as const).map((verb): [string, { path: string; body: object }] => [
    `${verb}Device`,
    { path: `/v1/devices/${sampleDeviceId()}/${verb}`, body: { reason: 'lost' } },
  ]),
  ['getSurface', { path: `/v1/surfaces/${sampleDeviceId()}/system.health` }],
  [
    'decideSurface',
    {
      path: `/v1/surfaces/${sampleDeviceId()}/system.health/decide`,
      body: { action: 'approve', digest: 'ef'.repeat(32), buildDigest: 'build-2', reason: 'looked at it' },
    },
  ],
  [
    'createGrant',
    {
      body: {
        deviceId: sampleDeviceId(),
        capability: 'system.health',
        digest: 'ef'.repeat(32),
        labels: { role: 'edge' },
      },
    },
  ],
  ['withdrawGrant', { path: `/v1/grants/${sampleId('gr')}/withdraw`, body: { reason: 'no more' } }],
  ['getPlugin', { path: '/v1/plugins/system-health' }],
  ['reloadPlugins', { body: {} }],
  ['createDispatch', { body: { node: 'build-7', capability: 'echo', input: {}, wait: true } }],
  [
    'foreseeDispatch',
    { path: '/v1/dispatches/dry-run', body: { node: 'build-7', capability: 'echo', input: {} } },
  ],
  ['getDispatch', { path: `/v1/dispatches/${sampleId('dp')}` }],
  ['followDispatch', { path: `/v1/dispatches/${sampleId('dp')}/events` }],
  ['planFanout', { body: { selector: 'role=edge', capability: 'echo', input: {} } }],
  ['createFanout', { body: { all: true, capability: 'echo', input: {}, limit: '10%', batch: 5 } }],
  ['getFanout', { path: `/v1/fan-outs/${sampleId('fo')}?after=3&wait=100` }],
  ['cancelFanout', { path: `/v1/fan-outs/${sampleId('fo')}/cancel`, body: { reason: 'enough' } }],
  ['explain', { path: '/v1/explanations/build-7' }],
  ['pruneDispatches', { body: { olderThanMs: 1_000, dryRun: true } }],
  ['retryDispatch', { path: `/v1/dispatches/${sampleId('dp')}/retry`, body: {} }],
  ['cancelDispatch', { path: `/v1/dispatches/${sampleId('dp')}/cancel`, body: { reason: 'enough' } }],
]);

const lesserRole = { viewer: undefined, invoker: 'viewer', approver: 'invoker', admin: 'approver' } as const;

describe.each(routeNames.map((name) => [name, routes[name] as RouteEntry] as const))('%s', (name, route) => {
  const { path = route.path, body } = samples.get(name) ?? {};
  const call = (headers: Record<string, string>) =>
    send(route.method, path, {
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  it('answers an admin as the contract says', async () => {
    const answer = await call(admin);
    expect(route.statuses).toContain(answer.status);
    const validate = ajv.compile(routeSchemas[name].response);
    const bodies: readonly unknown[] = isStream(name) ? eventsIn(answer.text) : [JSON.parse(answer.text)];
    expect(bodies.length).toBeGreaterThan(0);
    for (const body of bodies) expect(validate(body), ajv.errorsText(validate.errors)).toBe(true);
  });

  it('lets in exactly those who may', async () => {
    const without = await call({});
    const wrong = await call({ authorization: 'Bearer pat_wrong' });
    if (route.authority === 'none') {
      expect([without.status, wrong.status]).toEqual([200, 200]);
      return;
    }
    expect(without.status).toBe(401);
    expect(errorOf(without).code).toBe('http.unauthenticated');
    expect(without.headers['www-authenticate']).toBe('Bearer realm="palyra"');
    expect(wrong.status).toBe(401);
    expect(wrong.headers['www-authenticate']).toContain('invalid_token');
    const lesser = lesserRole[route.authority];
    if (lesser !== undefined) {
      const refused = await call({ authorization: `Bearer ${tokenOf(lesser)}` });
      expect(refused.status).toBe(403);
      expect(errorOf(refused).message).toContain(`does not hold the role ${route.authority}`);
    }
    expect(test.control.calls).toEqual([]);
    expect((await call({ authorization: `Bearer ${tokenOf(route.authority)}` })).status).toBeLessThan(300);
  });

  it('refuses other sites, with and without a token', async () => {
    for (const headers of [{}, admin]) {
      const rebound = await call({ ...headers, host: `evil.example:${test.port}` });
      expect([rebound.status, errorOf(rebound).code]).toEqual([403, 'http.foreign_host']);
      for (const origin of [
        'https://evil.example',
        'null',
        'http://localhost:3000',
        `https://127.0.0.1:${test.port}`,
      ]) {
        const foreign = await call({ ...headers, origin });
        expect([foreign.status, errorOf(foreign).code]).toEqual([403, 'http.foreign_origin']);
      }
    }
    expect(test.control.calls).toEqual([]);
  });
});

describe('who is let in', () => {
  it('takes loopback names and its own origin', async () => {
    for (const host of ['localhost:7142', `127.0.0.1:${test.port}`, '[::1]:7142', 'LOCALHOST']) {
      expect((await send('GET', '/v1/inventory', { headers: { ...admin, host } })).status, host).toBe(200);
      const headers = { ...admin, host, origin: `http://${host.toLowerCase()}` };
      expect((await send('GET', '/v1/inventory', { headers })).status, host).toBe(200);
    }
  });

  it("takes the addresses that it advertises, and no other machine's", async () => {
    await test.server.close(0);
    test = await startTestServer({ advertise: ['palyra.example.org:7142'] });
    const status = async (host: string) =>
      (await send('GET', '/v1/inventory', { headers: { ...admin, host } })).status;
    expect(await status('palyra.example.org:7142')).toBe(200);
    expect(await status('192.0.2.1:7142')).toBe(403);
    expect(await status('127.0.0.1.evil.example')).toBe(403);
    expect(await status('localhost@evil.example')).toBe(403);
  });

  it('does not let a route in that is not in the table', () => {
    const app = httpApp({
      control: test.control,
      authenticate: () => undefined,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      limits: defaultHttpLimits,
      advertise: [],
      ready: () => true,
    });
    expect(() => app.get('/v1/secrets', () => 'all of them')).toThrow('GET /v1/secrets is not in the table');
    expect(() => app.get('/v1/secrets', { config: { routeName: 'getHealth' } }, () => 'all of them')).toThrow(
      'not in the table',
    );
  });
});

describe('bodies', () => {
  it.each([
    ['{"node": build}', 'line 1, column 10'],
    ['{"node": "a",\n "input": 1,}', 'line 2, column 13'],
    ['{"node": "a"', 'line 1, column 13'],
  ])('names where %j stops being JSON', async (body, place) => {
    const answer = await send('POST', '/v1/dispatches', { body, headers: json });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ code: 'http.malformed_body', category: 'validation' });
    expect(errorOf(answer).message).toContain(place);
  });

  it('refuses an empty one, a deep one, a number without end and one that reaches for a prototype', async () => {
    const code = async (body: string) => {
      const answer = await send('POST', '/v1/dispatches', { body, headers: json });
      return [answer.status, errorOf(answer).code];
    };
    expect(await code(' ')).toEqual([400, 'http.malformed_body']);
    expect(await code(`{"input":${'['.repeat(200)}${']'.repeat(200)}}`)).toEqual([
      400,
      'http.malformed_body',
    ]);
    for (const number of ['1e999', '-1e999']) {
      expect(await code(`{"input":{"a":[1,${number}]}}`)).toEqual([400, 'http.malformed_body']);
    }
    for (const key of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__']) {
      expect(await code(`{"input":{"a":[{"${key}":{}}]}}`)).toEqual([400, 'http.malformed_body']);
    }
    expect(test.control.calls).toEqual([]);
  });

  it('names an unknown field and the one that was meant', async () => {
    const answer = await create({ node: 'a', capability: 'echo', input: {}, timeoutMS: 5 });
    expect(answer.status).toBe(422);
    expect(errorOf(answer)).toMatchObject({
      code: 'http.invalid_request',
      fields: [{ field: '/timeoutMS', message: expect.stringContaining("Did you mean 'timeoutMs'?") }],
    });
  });

  it('converts nothing and names every wrong field', async () => {
    const answer = await create({ node: '', capability: 'echo', timeoutMs: '5', wait: 'true' });
    expect(answer.status).toBe(422);
    expect(
      errorOf(answer)
        .fields?.map(({ field }) => field)
        .sort(),
    ).toEqual(['/input', '/node', '/timeoutMs', '/wait']);
  });

  it('takes the labels of a device as those of a pairing, and no other', async () => {
    const label = (body: object) =>
      send('POST', `/v1/devices/${sampleDeviceId()}/labels`, { body: JSON.stringify(body), headers: json });
    for (const [body, field] of [
      [{ labels: { 'Team Name': 'x' } }, '/labels/Team Name'],
      [{ labels: { role: 'x'.repeat(257) } }, '/labels/role'],
      [{ remove: ['Team Name'] }, '/remove/0'],
      [{ remove: Array.from({ length: 33 }, (_, at) => `l${at}`) }, '/remove'],
    ] as const) {
      const answer = await label(body);
      expect([answer.status, errorOf(answer).fields?.[0]?.field]).toEqual([422, field]);
    }
    expect((await label({ labels: { role: 'edge' }, version: 3 })).status).toBe(200);
    expect(test.control.asked('decideDevice').at(-1)).toEqual({
      id: sampleDeviceId(),
      action: 'label',
      reason: '',
      set: { role: 'edge' },
      remove: [],
      version: 3,
    });
  });

  it('takes any JSON as input, and hands it on as it is', async () => {
    for (const input of [null, 0, '', [], { a: { b: [1] } }]) {
      expect((await create({ node: 'a', capability: 'echo', input })).status).toBe(200);
      expect(test.control.asked('createDispatch').at(-1)).toEqual({ node: 'a', capability: 'echo', input });
    }
  });

  it('refuses what is too large, of another type, or missing', async () => {
    const large = await create({ node: 'a', capability: 'echo', input: 'x'.repeat(2 * 1024 * 1024) });
    expect([large.status, errorOf(large).code]).toEqual([413, 'http.body_too_large']);
    const text = await send('POST', '/v1/dispatches', {
      body: 'a=b',
      headers: { ...json, 'content-type': 'text/plain' },
    });
    expect([text.status, errorOf(text).code]).toEqual([415, 'http.unsupported_media_type']);
    const none = await send('POST', '/v1/dispatches', { headers: admin });
    expect(none.status).toBe(422);
    expect(errorOf(none).message).toBe('The body must be an object');
  });

  it('refuses labels with strange names', async () => {
    const answer = await create({ node: 'a', capability: 'echo', input: {}, labels: { 'Team Name': 'x' } });
    expect(answer.status).toBe(422);
    expect(errorOf(answer).fields?.[0]?.field).toBe('/labels/Team Name');
  });
});

describe('paths and queries', () => {
  it('takes ids of one pattern only', async () => {
    for (const id of ['pr_1', `pr_${'I'.repeat(26)}`, sampleId('dp'), '..%2f..%2fetc']) {
      const answer = await send('GET', `/v1/pairings/${id}`, { headers: admin });
      expect([answer.status, errorOf(answer).fields?.[0]?.field], id).toEqual([422, 'path/id']);
    }
  });

  it('reads lists and numbers of a query, and refuses unknown names', async () => {
    await send('GET', '/v1/pairings?state=expired&state=rejected', { headers: admin });
    await send('GET', '/v1/pairings?state=pending_approval', { headers: admin });
    expect(test.control.asked('listPairings')).toEqual([
      { states: ['expired', 'rejected'] },
      { states: ['pending_approval'] },
    ]);
    await send('GET', '/v1/dispatches?limit=10&state=queued', { headers: admin });
    expect(test.control.asked('listDispatches')).toEqual([{ limit: 10, states: ['queued'] }]);
    for (const [path, field] of [
      ['/v1/pairings?states=expired', 'query/states'],
      ['/v1/pairings?state=open', 'query/state/0'],
      ['/v1/dispatches?limit=1000', 'query/limit'],
      ['/v1/inventory?all=1', 'query/all'],
    ]) {
      const answer = await send('GET', path ?? '', { headers: admin });
      expect([answer.status, errorOf(answer).fields?.[0]?.field]).toEqual([422, field]);
    }
  });

  it('tells an unknown path from a wrong method', async () => {
    const unknown = await send('GET', '/v1/inventry', { headers: admin });
    expect([unknown.status, errorOf(unknown).hint]).toEqual([404, "Did you mean '/v1/inventory'?"]);
    const wrong = await send('DELETE', `/v1/pairings/${sampleId('pr')}`, { headers: admin });
    expect([wrong.status, wrong.headers.allow, errorOf(wrong).code]).toEqual([
      405,
      'GET',
      'http.method_not_allowed',
    ]);
    const both = await send('PUT', '/v1/dispatches', { headers: admin });
    expect([both.status, both.headers.allow]).toEqual([405, 'POST, GET']);
    const broken = await send('GET', '/v1/%zz', { headers: admin });
    expect([broken.status, errorOf(broken).code]).toEqual([400, 'http.malformed_request']);
  });
});

describe('errors', () => {
  it.each([
    [dispatchError('invalid_input', 'a'), 422, undefined],
    [dispatchError('not_approved', 'a'), 403, undefined],
    [dispatchError('unknown_node', 'a', { hint: 'b' }), 404, undefined],
    [dispatchError('key_conflict', 'a'), 409, undefined],
    [dispatchError('busy', 'a'), 429, '1'],
    [dispatchError('busy', 'a', { details: { retryAfterMs: 12_001 } }), 429, '13'],
    [dispatchError('busy', 'a', { details: { retryAfterMs: 'soon' } }), 429, '1'],
    [dispatchError('node_offline', 'a'), 503, '5'],
    [dispatchError('wait_timeout', 'a', { details: { dispatchId: sampleId('dp') } }), 504, undefined],
    [new AppError('x.late', { category: 'precondition', retryable: false }, 'a'), 412, undefined],
  ])('carries %s', async (error, status, retryAfter) => {
    test.control.onCreate = async () => {
      throw error;
    };
    const answer = await create({ node: 'a', capability: 'echo', input: {}, wait: true });
    expect(answer.status).toBe(status);
    expect(answer.headers['retry-after']).toBe(retryAfter);
    const { traceId, ...envelope } = errorOf(answer);
    expect(traceId).toMatch(/^[0-9a-f-]{36}$/);
    expect(envelope).toEqual(error.toEnvelope());
  });

  it('tells nothing of a fault of its own, but the log does, under the same trace id', async () => {
    const secret = new Error('SQLITE_CORRUPT at /var/lib/palyra');
    test.control.onCreate = async () => {
      throw secret;
    };
    const answer = await create({ node: 'a', capability: 'echo', input: {} });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('SQLITE');
    const { traceId } = errorOf(answer);
    expect(test.logged).toContainEqual({
      level: 'error',
      fields: expect.objectContaining({ err: secret, traceId, route: '/v1/dispatches' }),
      message: expect.any(String),
    });
  });

  it('sends no field that the contract does not name', async () => {
    test.control.known = [Object.assign(sampleDispatch(), { internalNote: 'x' })];
    const answer = await send('GET', `/v1/dispatches/${sampleId('dp')}`, { headers: admin });
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain('internalNote');
  });

  it('answers what is no HTTP with the same envelope', async () => {
    const raw = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(test.port, '127.0.0.1', () => socket.write('\x16\x03\x01\x02\x00\r\n\r\n'));
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text)).on('error', reject);
    });
    expect(raw).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(isErrorBody(JSON.parse(raw.slice(raw.indexOf('\r\n\r\n'))))).toBe(true);
    const large = await send('GET', '/healthz', { headers: { 'x-a': 'y'.repeat(20_000) } });
    expect([large.status, errorOf(large).code]).toEqual([431, 'http.headers_too_large']);
  });
});

describe('waiting', () => {
  it('answers 202 for what is accepted and 200 for what has ended', async () => {
    test.control.onCreate = async () => sampleDispatch({ state: 'queued' });
    expect((await create({ node: 'a', capability: 'echo', input: {} })).status).toBe(202);
    test.control.onCreate = async () => sampleDispatch();
    expect((await create({ node: 'a', capability: 'echo', input: {}, wait: true })).status).toBe(200);
  });

  it('lets a dispatch go on when its caller leaves', async () => {
    const asked = deferred();
    const ended = deferred<DispatchRecord>();
    const finished = ended.promise.then((record) => record.state);
    const left = deferred();
    test.control.onCreate = (_request, signal) => {
      signal?.addEventListener('abort', () => left.resolve());
      asked.resolve();
      return ended.promise;
    };
    const request = httpRequest(`${test.url}/v1/dispatches`, { method: 'POST', headers: json, agent: false });
    const gone = new Promise((resolve) => request.on('error', resolve));
    request.end(JSON.stringify({ node: 'a', capability: 'echo', input: {}, wait: true }));
    await asked.promise;
    request.destroy(new Error('the caller left'));
    await gone;
    await left.promise;
    ended.resolve(sampleDispatch());
    expect(await finished).toBe('succeeded');
    expect(test.control.asked('cancelDispatch')).toEqual([]);
    expect((await send('GET', '/healthz')).status).toBe(200);
    expect(test.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('shows signs of life to who waits long', async () => {
    await test.server.close(0);
    test = await startTestServer({ limits: { processingMs: 5 } });
    const ended = deferred<DispatchRecord>();
    test.control.onCreate = () => ended.promise;
    const interim: number[] = [];
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${test.url}/v1/dispatches`, {
        method: 'POST',
        headers: json,
        agent: false,
      });
      request.on('information', ({ statusCode }) => {
        interim.push(statusCode);
        if (interim.length === 2) ended.resolve(sampleDispatch());
      });
      request.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
      request.end(JSON.stringify({ node: 'a', capability: 'echo', input: {}, wait: true }));
    });
    expect(interim.slice(0, 2)).toEqual([102, 102]);
    expect(status).toBe(200);
  });
});

describe('starting and stopping', () => {
  it('answers 503 until the daemon is ready, but says what it is', async () => {
    await test.server.close(0);
    test = await startTestServer({ ready: () => false });
    const answer = await send('GET', '/v1/inventory', { headers: admin });
    expect([answer.status, answer.headers['retry-after'], errorOf(answer).retryable]).toEqual([
      503,
      '5',
      true,
    ]);
    expect((await send('GET', '/v1/inventory')).status).toBe(401);
    expect(JSON.parse((await send('GET', '/healthz')).text)).toEqual({ status: 'ok', ready: false });
    expect((await send('GET', '/v1/contract')).status).toBe(200);
  });

  it('lets running requests end and then is gone', async () => {
    const asked = deferred();
    const ended = deferred<DispatchRecord>();
    test.control.onCreate = () => {
      asked.resolve();
      return ended.promise;
    };
    const answer = create({ node: 'a', capability: 'echo', input: {}, wait: true });
    await asked.promise;
    const closed = test.server.close(10_000);
    ended.resolve(sampleDispatch());
    expect((await answer).status).toBe(200);
    await closed;
    await expect(send('GET', '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('cuts what does not end in time', async () => {
    const asked = deferred();
    test.control.onCreate = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const answer = create({ node: 'a', capability: 'echo', input: {}, wait: true });
    const failure = expect(answer).rejects.toThrow();
    await asked.promise;
    await test.server.close(10);
    await failure;
  });

  it('says which port is taken', async () => {
    const second = createHttpServer({
      control: test.control,
      authenticate: () => undefined,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      ready: () => true,
    });
    await expect(second.listen('127.0.0.1', test.port)).rejects.toMatchObject({
      code: 'http.cannot_listen',
      message: expect.stringContaining(`port ${test.port}: another program listens there`),
    });
    await second.close();
  });
});
