import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const everything = ['src/**/*.test.ts', 'plugins/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'];

/** What measures its own process or changes it for good: each of these files gets a fresh one. */
const ownProcess = [
  'src/actors/dispatch/retention.test.ts',
  'src/adapters/backup/restore-backup.test.ts',
  'src/adapters/grpc/listener.test.ts',
  'src/adapters/os/*.test.ts',
  'src/adapters/pki/certificate-authority.test.ts',
  'src/kernel/crowd.test.ts',
  'test/integration/broken-plugins.test.ts',
  'test/integration/event-loop.test.ts',
  'test/integration/passphrase.test.ts',
  'test/integration/process-*.test.ts',
  'test/security/code-timing.test.ts',
];

export default defineConfig({
  resolve: {
    alias: {
      'palyra-node-runtime/testing': fileURLToPath(new URL('src/testing/index.ts', import.meta.url)),
      'palyra-node-runtime/plugin': fileURLToPath(new URL('src/plugins/sdk/index.ts', import.meta.url)),
    },
  },
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // A condition is waited for, not a time: on a machine with busy cores it may come late.
    expect: { poll: { timeout: 15_000 } },
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'own-process', include: ownProcess, isolate: true } },
      // No module of ours keeps state, so these share what they import; loading it for each was a quarter of all work.
      {
        extends: true,
        test: { name: 'shared', include: everything, exclude: ownProcess, isolate: false },
      },
    ],
  },
});
