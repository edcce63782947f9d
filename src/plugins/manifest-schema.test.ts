import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileSchema } from './compile-schema.js';
import { parseManifest } from './manifest.js';
import { manifestSchemaText } from './manifest-writer.js';
import { sampleManifest } from './testing/sample-manifest.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the published schema is what the code says', () => {
  expect(read('schemas/plugin.schema.json')).toBe(manifestSchemaText());
});

test('every property of the published schema has a description, for editors', () => {
  const bare: string[] = [];
  const walk = (schema: Record<string, unknown>, path: string) => {
    for (const [name, property] of Object.entries(
      (schema.properties ?? {}) as Record<string, Record<string, unknown>>,
    )) {
      if (typeof property.description !== 'string') bare.push(`${path}/${name}`);
      walk(property, `${path}/${name}`);
    }
    if (typeof schema.items === 'object') walk(schema.items as Record<string, unknown>, `${path}[]`);
  };
  walk(JSON.parse(manifestSchemaText()), '');
  expect(bare).toEqual([]);
});

test.each(['echo', 'system-health', 'desktop-open-url'])(
  'the manifest of %s is valid by the published schema',
  (name) => {
    const text = read(`plugins/${name}/plugin.json`);
    const valid = compileSchema(JSON.parse(manifestSchemaText()));
    expect(valid(JSON.parse(text))).toBe(true);
    expect(valid({ ...JSON.parse(text), extra: 1 })).toBe(false);
    expect(parseManifest(text, name).name).toBe(name);
  },
);

test('the version of the runtime is found for the engine check', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const manifest = JSON.stringify(sampleManifest({ engines: { palyra: version } }));
  expect(parseManifest(manifest, 'plugin.json').engines.palyra).toBe(version);
});
