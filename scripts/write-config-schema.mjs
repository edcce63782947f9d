// Writes schemas/palyra.schema.json from the built config schema; with --check it only says whether the file is fresh.
import { readFile, writeFile } from 'node:fs/promises';
import { publishedConfigSchema } from '../dist/src/daemon/config/config-option.js';

const target = new URL('../schemas/palyra.schema.json', import.meta.url);
const fresh = `${JSON.stringify(publishedConfigSchema(), null, 2)}\n`;
const current = await readFile(target, 'utf8').catch(() => undefined);

if (!process.argv.includes('--check')) {
  await writeFile(target, fresh);
} else if (current !== fresh) {
  console.error(
    'schemas/palyra.schema.json is stale: build, then run `node scripts/write-config-schema.mjs`',
  );
  process.exitCode = 1;
}
