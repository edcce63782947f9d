import { definePlugin, Type } from 'palyra-node-runtime/plugin';
import { collectHealth } from './collect.js';
import { healthSchema } from './schema.js';

export default definePlugin({
  name: 'system-health',
  version: '1.0.0',
  publisher: 'Palyra',
  engines: { palyra: '>=0.1.0' },
  isolation: 'inline',
  permissions: { fileSystem: { read: ['/'] }, childProcesses: true },
  capabilities: {
    'system.health': {
      title: 'System health',
      description: 'Measures load, memory, disks, uptime, versions and network addresses of the node.',
      input: Type.Object({}, { additionalProperties: false }),
      output: healthSchema,
      timeout: '20s',
      concurrency: 2,
      readOnly: true,
      idempotent: true,
      examples: [{ title: 'All figures', input: {} }],
      handler: ({ log, signal }) => collectHealth(log, signal),
    },
  },
});
