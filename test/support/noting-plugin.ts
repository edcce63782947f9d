import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the handler of `lab.note` leaves what it was called with: it runs in the process of the test. */
export const noted: unknown[] = [];
const place = 'palyra.test.noted';
Object.assign(globalThis, { [place]: noted });

/** Writes a plugin into `root` with the capability `lab.note`, which may be repeated. Each handler leaves its input in {@link noted}. */
export function writeNotingPlugin(root: string): void {
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
      name: 'lab.note',
      title: 'Note',
      description: 'Notes what it was called with.',
      timeout: '5m',
      concurrency: 256,
      mediation: { mode: 'none' },
      readOnly: false,
      idempotent: true,
      destructive: false,
      input: { type: 'integer' },
      output: { type: 'null' },
      examples: [],
    },
  ],
};

const code = `
export default {
  name: 'lab',
  capabilities: [
    {
      name: 'lab.note',
      handler: ({ input }) => {
        globalThis['${place}'].push(input);
        return null;
      },
    },
  ],
};
`;
