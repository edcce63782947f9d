import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: {
      'palyra-node-runtime/testing': fileURLToPath(new URL('src/testing/index.ts', import.meta.url)),
      'palyra-node-runtime/plugin': fileURLToPath(new URL('src/plugins/sdk/index.ts', import.meta.url)),
    },
  },
  test: {
    include: ['src/**/*.test.ts', 'plugins/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // A condition is waited for, not a time: on a machine with busy cores it may come late.
    expect: { poll: { timeout: 15_000 } },
    pool: 'forks',
    maxWorkers: 2,
    // No module of ours keeps state, so files may share what they import: loading it anew for each took a quarter of all work.
    isolate: false,
  },
});
