import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkPlugin } from '../../src/plugins/authoring/check.js';
import { bundledPlugins } from '../../src/plugins/bundled.js';

const names = readdirSync(bundledPlugins());

test.each(names)('%s is a model: fresh, sound, and with nothing to be advised', async (name) => {
  expect(await checkPlugin(join(bundledPlugins(), name))).toEqual([]);
});
