import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes a plugin into `root` with one capability, `lab.wait`, that may not be repeated: it appends `started <id>` to the file
 * that its input names, and `stopped <id>` when it is told to stop; it never ends by itself.
 */
export function writeWaitingPlugin(root: string): void {
  const folder = join(root, 'lab');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.js'), code);
  writeFileSync(join(folder, 'plugin.json'), JSON.stringify(manifest));
}

const manifest = {
  apiVersion: 'palyra.dev/v1',
  name: 'lab',
  version: '1.0.0',
  publisher: 'Test',
  engines: { palyra: '>=0.1.0' },
  platforms: ['linux', 'darwin'],
  entry: 'index.js',
  isolation: 'inline',
  permissions: {},
  capabilities: [
    {
      name: 'lab.wait',
      title: 'Wait',
      description: 'Waits until it is told to stop.',
      timeout: '5m',
      concurrency: 8,
      mediation: { mode: 'none' },
      readOnly: false,
      idempotent: false,
      destructive: false,
      input: {
        type: 'object',
        properties: { file: { type: 'string' }, id: { type: 'string' } },
        required: ['file', 'id'],
        additionalProperties: false,
      },
      output: { type: 'object' },
      examples: [],
    },
  ],
};

const code = `
import { appendFileSync } from 'node:fs';

export default {
  name: 'lab',
  capabilities: [
    {
      name: 'lab.wait',
      handler: ({ input, signal }) =>
        new Promise((_resolve, reject) => {
          appendFileSync(input.file, 'started ' + input.id + '\\n');
          signal.addEventListener('abort', () => {
            appendFileSync(input.file, 'stopped ' + input.id + '\\n');
            reject(new Error('it was told to stop'));
          });
        }),
    },
  ],
};
`;
