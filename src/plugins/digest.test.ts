import { expect, test } from 'vitest';
import type { Descriptor } from './descriptor.js';
import { descriptorDigest, descriptorOf, schemaDigest, surfaceDigest } from './digest.js';
import { parseManifest } from './manifest.js';
import { sampleManifest } from './testing/sample-manifest.js';

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, shuffled(item)])
      .reverse(),
  );
}

function descriptors(changes: Record<string, unknown> = {}): Descriptor[] {
  const manifest = parseManifest(JSON.stringify(sampleManifest(changes)), 'plugin.json', {
    runtimeVersion: '0.1.0',
  });
  return manifest.capabilities.map((capability) => descriptorOf(manifest, capability));
}

test('the order of keys does not count, and the digest never changes from release to release', () => {
  const [descriptor] = descriptors();
  if (descriptor === undefined) throw new Error('no descriptor');
  const digest = descriptorDigest(descriptor);
  expect(digest).toBe('e6f437209f5453fd10ce869d0784ff8eaccd7d473417c3e22fc066e19a2efb45');
  expect(descriptorDigest(shuffled(descriptor) as Descriptor)).toBe(digest);
});

test("what bears on trust changes the digest; the plugin's version does not", () => {
  const digest = (changes?: Record<string, unknown>) => descriptors(changes).map(descriptorDigest).join();
  expect(digest({ version: '9.9.9' })).toBe(digest());
  expect(digest({ publisher: 'Other' })).not.toBe(digest());
  expect(digest({ isolation: 'process' })).not.toBe(digest());
  expect(digest({ permissions: { childProcesses: true } })).not.toBe(digest());
});

test('a surface is a set: neither order nor repetition counts', () => {
  expect(surfaceDigest(['b', 'a', 'a'])).toBe(surfaceDigest(new Set(['a', 'b'])));
  expect(surfaceDigest(['a'])).not.toBe(surfaceDigest([]));
});

test('numbers and texts are written as RFC 8785 says', () => {
  expect(schemaDigest({ const: [1e21, 0.1, -0] })).toBe(schemaDigest({ const: [1e21, 0.1, 0] }));
  expect(schemaDigest({ const: '€' })).toBe(schemaDigest(JSON.parse('{"const":"\\u20ac"}')));
});
