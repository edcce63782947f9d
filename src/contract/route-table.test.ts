import { Ajv2020 } from 'ajv/dist/2020.js';
import type { TSchema } from 'typebox';
import { describe, expect, it } from 'vitest';
import { contract } from './contract-version.js';
import { ErrorBodySchema } from './error.js';
import { errorCategories, httpErrorCodes } from './error-codes.js';
import { authorities, type RouteEntry } from './route-entry.js';
import { type RouteSchemas, routeSchemas } from './route-schemas.js';
import { routeNames, routes } from './route-table.js';

const all = routeNames.map(
  (name) => [name, { ...(routes[name] as RouteEntry), ...(routeSchemas[name] as RouteSchemas) }] as const,
);

/** Every schema inside of a schema that describes an object. */
function* objects(schema: unknown, at = ''): Generator<readonly [string, Record<string, unknown>]> {
  if (typeof schema !== 'object' || schema === null) return;
  const record = schema as Record<string, unknown>;
  if (record.type === 'object') yield [at, record];
  for (const [key, below] of Object.entries(record)) yield* objects(below, `${at}/${key}`);
}

describe('the table of routes', () => {
  it('has an authority for each, and open routes only where nothing is told', () => {
    for (const [name, route] of all) expect(authorities, name).toContain(route.authority);
    const open = all.filter(([, route]) => route.authority === 'none').map(([name]) => name);
    expect(open).toEqual(['getContract', 'getHealth']);
  });

  it('asks for more than viewing wherever something changes', () => {
    for (const [name, route] of all) {
      if (route.method !== 'GET') expect(['invoker', 'approver', 'admin'], name).toContain(route.authority);
    }
  });

  it('has a feature of the contract for each resource, by which a client finds it', () => {
    const subjects: Readonly<Record<string, string>> = {
      'pairing-codes': 'pairing',
      'pin-pairing': 'pairing.pin',
      pairings: 'pairing',
      inventory: 'device',
      devices: 'device',
      surfaces: 'surfaces',
      grants: 'surfaces.grants',
      plugins: 'plugins',
      authority: 'authority',
      dispatches: 'dispatch',
      'fan-outs': 'fanouts',
      explanations: 'explanations',
    };
    for (const [name, { path, authority }] of all) {
      if (authority === 'none') continue;
      const subject = subjects[path.split('/')[2] ?? ''];
      const found = contract.features.filter((one) => one === subject || one.startsWith(`${subject}.`));
      expect(found, name).not.toEqual([]);
    }
  });

  it('has one entry for each method and path, and a schema for each parameter', () => {
    const places = all.map(([, route]) => `${route.method} ${route.path}`);
    expect(new Set(places).size).toBe(places.length);
    for (const [name, route] of all) {
      const named = [...route.path.matchAll(/:([a-z]+)/g)].map((match) => match[1]);
      const described = (route.params as { properties?: object } | undefined)?.properties ?? {};
      expect(Object.keys(described), name).toEqual(named);
    }
  });

  it.each(all)('describes %s with strict schemas that leave no property open', (_name, route) => {
    const schemas = [route.params, route.query, route.body, route.response, ErrorBodySchema];
    for (const schema of schemas.filter((one): one is TSchema => one !== undefined)) {
      expect(() => new Ajv2020({ strict: true }).compile(schema)).not.toThrow();
      for (const [at, object] of objects(schema)) {
        expect('patternProperties' in object || object.additionalProperties === false, at).toBe(true);
      }
    }
  });

  it('gives each error of its own a known category', () => {
    for (const { category } of Object.values(httpErrorCodes)) expect(errorCategories).toContain(category);
  });
});
