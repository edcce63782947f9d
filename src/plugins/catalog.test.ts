import { expect, test } from 'vitest';
import { Catalog } from './catalog.js';
import { descriptorOf } from './digest.js';
import { parseManifest } from './manifest.js';
import { sampleCapability, sampleManifest } from './testing/sample-manifest.js';
import { ValidatorCache } from './validators.js';

function descriptor(changes: Record<string, unknown> = {}) {
  const text = JSON.stringify(sampleManifest({ capabilities: [sampleCapability(changes)] }));
  const manifest = parseManifest(text, 'plugin.json', { runtimeVersion: '0.1.0' });
  const [capability] = manifest.capabilities;
  if (capability === undefined) throw new Error('no capability');
  return descriptorOf(manifest, capability);
}

test('what was added is found by its digest, compiled', () => {
  const catalog = new Catalog(new ValidatorCache());
  const { digest } = catalog.add(descriptor({ timeout: '5s' }), 'folder');
  const entry = catalog.get(digest);
  expect(entry?.timeoutMs).toBe(5_000);
  expect(entry?.input.check({ name: 'Ada' })).toEqual([]);
  expect(entry?.input.check({})).toEqual([{ field: '/name', message: 'is required' }]);
  expect(entry?.output.check({})).toEqual([{ field: '/greeting', message: 'is required' }]);
});

test('a name may stand for several digests; names come once and in order', () => {
  const catalog = new Catalog(new ValidatorCache());
  const old = catalog.add(descriptor(), 'folder');
  const fresh = catalog.add(descriptor({ timeout: '1m' }), 'surface/a');
  catalog.add(descriptor({ name: 'bow' }), 'folder');
  expect(catalog.names()).toEqual(['bow', 'greet']);
  expect(catalog.digestsOf('greet')).toEqual([old.digest, fresh.digest]);
  expect(catalog.nearest('gret')).toEqual(['greet']);
  expect(catalog.nearest('printer')).toEqual([]);
});

test('a descriptor goes with its last owner, and its validators with it', () => {
  const validators = new ValidatorCache();
  const catalog = new Catalog(validators);
  const { digest } = catalog.add(descriptor(), 'surface/a');
  catalog.add(descriptor(), 'surface/a');
  catalog.add(descriptor(), 'surface/b');
  catalog.remove(digest, 'surface/b');
  catalog.remove(digest, 'surface/b');
  catalog.remove(digest, 'stranger');
  expect(catalog.get(digest)).toBeDefined();
  catalog.remove(digest, 'surface/a');
  expect([catalog.get(digest), catalog.size, validators.size]).toEqual([undefined, 0, 0]);
  expect([catalog.names(), catalog.digestsOf('greet')]).toEqual([[], []]);
});

test('a descriptor with a bad schema is refused and leaves nothing behind', () => {
  const validators = new ValidatorCache();
  const catalog = new Catalog(validators);
  const bad = { ...descriptor(), output: { $ref: 'https://example.com/' } };
  expect(() => catalog.add(bad, 'surface/a')).toThrowError(
    expect.objectContaining({ code: 'plugin.schema_reference' }),
  );
  expect([catalog.size, validators.size]).toEqual([0, 0]);
});
