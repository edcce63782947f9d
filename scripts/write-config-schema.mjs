// Writes schemas/palyra.schema.json from the built config schema; with --check it only says whether the file is fresh.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publishedConfigSchema } from '../dist/src/daemon/config/config-option.js';
import { bringUpToDate } from './generated-files.mjs';

const text = `${JSON.stringify(publishedConfigSchema(), null, 2)}\n`;
await bringUpToDate(
  fileURLToPath(new URL('..', import.meta.url)),
  new Map([[join('schemas', 'palyra.schema.json'), text]]),
  { check: process.argv.includes('--check'), command: 'npm run generate' },
);
