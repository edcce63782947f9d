import os from 'node:os';
import { type TestKit, testKit } from 'palyra-node-runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import plugin from './index.js';
import type { Health } from './schema.js';

let kit: TestKit;

beforeEach(async () => {
  kit = await testKit({ plugin });
});

afterEach(() => kit.close());

test('a caller gets the figures of this machine, in an output that both sides have checked', async () => {
  const { state, output } = await kit.invoke('system.health', {});
  const { hostname, memory, versions } = output as Health;
  expect([state, hostname, versions.node]).toEqual(['succeeded', os.hostname(), process.versions.node]);
  expect(memory.totalBytes).toBeGreaterThan(memory.availableBytes);
});

test('every figure has its unit in its name or its description', () => {
  const output = JSON.parse(JSON.stringify(plugin.capabilities[0]?.output)) as Schema;
  const numbers = [...numbersIn(output, '')];
  expect(numbers.length).toBeGreaterThan(12);
  const without = numbers.filter(
    ({ name, description }) =>
      !/(Bytes|Seconds|Ratio)$/.test(name) && !/\b(cores|tasks|bytes|seconds)\b/i.test(description),
  );
  expect(without).toEqual([]);
});

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

function* numbersIn(schema: Schema, name: string): Iterable<{ name: string; description: string }> {
  if (schema.type === 'number' || schema.type === 'integer') {
    yield { name, description: schema.description ?? '' };
  }
  for (const [key, child] of Object.entries(schema.properties ?? {})) yield* numbersIn(child, key);
  if (schema.items) yield* numbersIn(schema.items, name);
}
