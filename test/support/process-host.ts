import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ProcessRunner } from '../../src/actors/plugin-process/process-runner.js';
import { processesChild } from '../../src/actors/plugin-process/processes-child.js';
import { MemoryStore } from '../../src/adapters/store/memory.js';
import { type Clock, systemClock } from '../../src/kernel/clock.js';
import type { AppError } from '../../src/kernel/errors.js';
import { createKernel, startRoot } from '../../src/kernel/kernel.js';
import type { Store } from '../../src/kernel/store.js';
import { supervisor } from '../../src/kernel/supervisor.js';
import { PluginProcesses, type PluginProcessesOptions } from '../../src/node/plugin-processes.js';
import type { ProcessPlugin } from '../../src/plugins/plugin-loader.js';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

type Settings = Partial<Pick<PluginProcessesOptions, 'limits' | 'environment' | 'program' | 'store'>>;

/** The part of a node host that runs plugins in processes of their own, over real processes. */
export async function processHost(settings: Settings & { readonly clock?: Clock } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'palyra-processes-'));
  const lines: LogLine[] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: { ...fields } });
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const kernel = createKernel({ clock: settings.clock ?? systemClock, log });
  const store: Store = settings.store ?? new MemoryStore();
  const disabled: { readonly plugin: string; readonly error: AppError }[] = [];
  const failed: unknown[] = [];
  const processes = await PluginProcesses.open({
    kernel,
    store,
    folder: join(folder, 'state'),
    failed: (error) => void failed.push(error),
    disabled: (plugin, error) => void disabled.push({ plugin, error }),
    ...settings,
  });
  const root = startRoot(
    kernel,
    supervisor({
      kernel,
      strategy: 'one_for_one',
      children: [processesChild(kernel, (key, error) => processes.abandon(key, error))],
    }),
  );
  return {
    folder,
    kernel,
    store,
    processes,
    lines,
    disabled,
    failed,
    /** A runner of the code in a file. */
    runner(entry: string, capabilities: readonly string[], more: Partial<ProcessPlugin> = {}): ProcessRunner {
      const build = createHash('sha256').update(readFileSync(entry)).digest('hex');
      const code = { plugin: 'sample', entry, capabilities, folder: dirname(entry), build, permissions: {} };
      return processes.runner({ ...code, ...more });
    },
    async close(): Promise<void> {
      await root.shutdown('the test is over', 6_000);
      await rm(folder, { recursive: true, force: true });
      if (failed.length > 0) throw failed[0];
    },
  };
}

export type ProcessHost = Awaited<ReturnType<typeof processHost>>;
