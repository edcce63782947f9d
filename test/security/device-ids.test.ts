import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TSchema } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatDeviceId } from '../../src/actors/identity/device-id.js';
import { newId } from '../../src/actors/ids.js';
import { deviceId } from '../../src/contract/device.js';
import type { ErrorBody } from '../../src/contract/error.js';
import { type RouteSchemas, routeSchemas } from '../../src/contract/route-schemas.js';
import { type RouteName, routeNames, routes } from '../../src/contract/route-table.js';
import { type EnrolledDevice, LocalDaemon } from '../support/local-daemon.js';
import { RawNode } from '../support/raw-node.js';

let local: LocalDaemon;
let device: EnrolledDevice;

beforeAll(async () => {
  local = await LocalDaemon.start();
  device = await local.enrol('lab');
  await RawNode.connect(local, device);
});
afterAll(() => local.close());

/** What a route takes beside the id, so that nothing but the id is wrong. */
const bodies: Partial<Record<RouteName, object>> = {
  renameDevice: { name: 'other' },
  decideClone: { clone: newId('cl', Date.now()), action: 'reject', reason: 'test' },
  decideSurface: { action: 'reject', digest: 'ab'.repeat(32), reason: 'test' },
  createDispatch: { node: '', capability: 'echo', input: {} },
};

const { pattern } = deviceId as { readonly pattern?: string };

/** The parameters or the query fields of a route that are device ids. */
function idsIn(schema: TSchema | undefined): readonly string[] {
  const { properties = {} } = (schema ?? {}) as {
    readonly properties?: Record<string, { pattern?: string }>;
  };
  return Object.entries(properties).flatMap(([name, property]) =>
    property.pattern === pattern ? [name] : [],
  );
}

const all: Readonly<Record<RouteName, RouteSchemas>> = routeSchemas;
const inPath = routeNames.filter((name) => idsIn(all[name].params).length > 0);
const inQuery = routeNames.filter((name) => idsIn(all[name].query).length > 0);

async function call(name: RouteName, path: string, body?: object) {
  const token = readFileSync(join(local.stateDirectory, 'operator.token'), 'utf8').trim();
  const { method } = routes[name];
  const answer = await fetch(`${local.daemon.addresses.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? bodies[name] ?? { reason: 'test' }) }),
  });
  return { status: answer.status, error: ((await answer.json()) as Partial<ErrorBody>).error };
}

/** The calls of a route with an id in each place that takes one. */
function withId(name: RouteName, id: string): string {
  const path = routes[name].path.replace(':id', id).replace(':capability', 'echo');
  return inQuery.includes(name) ? `${path}?deviceId=${id}` : path;
}

/** The id of the device as somebody writes it who takes an O for a zero. */
function misread(): string {
  const { deviceId: id } = device.identity;
  const at = 9;
  return formatDeviceId(`${id.slice(0, at)}0${id.slice(at + 1)}`).toLowerCase();
}

const explained = {
  status: 422,
  error: {
    code: 'identity.invalid_device_id',
    category: 'validation',
    message: expect.stringMatching(
      /character 10 \(group 2\) is '0', which no device id has; did you mean 'O'\?/,
    ),
  },
};

describe('a device id with a character that looks like another', () => {
  it('is in each route of a device or a surface, and in these queries', () => {
    const named = routeNames.filter((name) => /^\/v1\/(devices|surfaces)\/:id/.test(routes[name].path));
    expect(named.length).toBeGreaterThan(9);
    expect(inPath).toEqual(named);
    expect(inQuery).toEqual(['listSurfaces', 'listDispatches']);
  });

  it.each([...inPath, ...inQuery])('is refused by %s with the character that was meant', async (name) => {
    const answer = await call(name, withId(name, misread()));
    expect(answer).toMatchObject(explained);
    expect(answer.error?.fields?.[0]?.field).toBe('deviceId');
  });

  it('is refused where a node may also be named', async () => {
    const body = { ...bodies.createDispatch, node: misread() };
    const answer = await call('createDispatch', routes.createDispatch.path, body);
    expect(answer).toMatchObject(explained);
    expect(answer.error?.fields?.[0]?.field).toBe('node');
    expect(await call('explain', `/v1/explanations/${misread()}`)).toMatchObject(explained);
  });
});

describe('a device id in any way of writing', () => {
  const ways = (): readonly string[] => {
    const { deviceId: id } = device.identity;
    return [id, id.toLowerCase(), formatDeviceId(id), formatDeviceId(id).toLowerCase()];
  };

  it.each(['getDevice', 'getSurface', 'listSurfaces', 'listDispatches'] as const)(
    'is understood by %s',
    async (name) => {
      for (const id of ways()) expect(await call(name, withId(name, id))).toMatchObject({ status: 200 });
    },
  );

  it('is understood where something is decided, run or explained', async () => {
    for (const id of ways()) {
      expect((await call('rotateDevice', withId('rotateDevice', id))).status).toBe(200);
      expect((await call('explain', `/v1/explanations/${id}`)).status).toBe(200);
      const run = await call('createDispatch', routes.createDispatch.path, {
        ...bodies.createDispatch,
        node: id,
      });
      expect(run.status).toBe(202);
    }
  });
});
