import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the handler of `lab.note` leaves what it was called with: it runs in the process of the test. */
export const noted: unknown[] = [];
/** What lets the handlers of `lab.hold` go that run. */
export const holding: (() => void)[] = [];
const places = { noted: 'palyra.test.noted', holding: 'palyra.test.holding' };
Object.assign(globalThis, { [places.noted]: noted, [places.holding]: holding });

/**
 * Writes a plugin into `root` whose capabilities may be repeated and leave their input in {@link noted}: `lab.note` is done at
 * once, and `lab.hold`, of which two may run at a time, when it is let go.
 */
export function writeNotingPlugin(root: string): void {
  const folder = join(root, 'lab');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.js'), code);
  writeFileSync(join(folder, 'plugin.json'), JSON.stringify(manifest));
}

function capability(name: string, concurrency: number) {
  return {
    name,
    title: 'Note',
    description: 'Notes what it was called with.',
    timeout: '5m',
    concurrency,
    mediation: { mode: 'none' },
    readOnly: false,
    idempotent: true,
    destructive: false,
    input: { type: 'integer' },
    output: { type: 'null' },
    examples: [],
  };
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
  capabilities: [capability('lab.note', 256), capability('lab.hold', 2)],
};

const code = `
export default {
  name: 'lab',
  capabilities: [
    {
      name: 'lab.note',
      handler: ({ input }) => {
        globalThis['${places.noted}'].push(input);
        return null;
      },
    },
    {
      name: 'lab.hold',
      handler: ({ input }) => {
        globalThis['${places.noted}'].push(input);
        return new Promise((resolve) => globalThis['${places.holding}'].push(() => resolve(null)));
      },
    },
  ],
};
`;
