import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { manifestText } from '../../src/plugins/manifest-writer.js';
import plugin from './src/index.js';

test('plugin.json is what the code defines', () => {
  const written = readFileSync(new URL('plugin.json', import.meta.url), 'utf8');
  expect(manifestText(plugin, { schema: '../../schemas/plugin.schema.json' })).toBe(written);
});
