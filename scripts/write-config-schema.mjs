// Writes the schemas of palyra.yaml and palyra-node.yaml from those that check them; with --check it only says whether the files are fresh.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publishedConfigSchema } from '../dist/src/daemon/config/config-option.js';
import { publishedNodeConfigSchema } from '../dist/src/node/node-config.js';
import { bringUpToDate } from './generated-files.mjs';

const text = (schema) => `${JSON.stringify(schema, null, 2)}\n`;
await bringUpToDate(
  fileURLToPath(new URL('..', import.meta.url)),
  new Map([
    [join('schemas', 'palyra.schema.json'), text(publishedConfigSchema())],
    [join('schemas', 'palyra-node.schema.json'), text(publishedNodeConfigSchema())],
  ]),
  { check: process.argv.includes('--check'), command: 'npm run generate' },
);
