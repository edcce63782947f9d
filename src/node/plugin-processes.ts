import { mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProcessHandlers, ProcessLink } from '../actors/plugin-process/link.js';
import { ProcessJournal } from '../actors/plugin-process/process-journal.js';
import type { ProcessParts, ProcessSpec, RunnerLimits } from '../actors/plugin-process/process-parts.js';
import { ProcessRunner } from '../actors/plugin-process/process-runner.js';
import {
  type PermissionPlan,
  packageFolders,
  permissionPlan,
  permittedEnvironment,
} from '../adapters/process/permission-flags.js';
import { launchPluginChild, neverStarted } from '../adapters/process/plugin-child.js';
import { endTree } from '../adapters/process/process-tree.js';
import type { AppError } from '../kernel/errors.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Store } from '../kernel/store.js';
import type { ProcessPlugin } from '../plugins/plugin-loader.js';
import { childProgram } from '../plugins/process/program-path.js';
import { runLimits } from '../plugins/runner.js';

const mebibyte = 1024 * 1024;

/** What the process of a plugin may take, where nothing else is said. Times are milliseconds. */
export const processLimits: RunnerLimits & {
  /** MiB of JavaScript heap. */
  readonly heapMb: number;
} = {
  loadMs: runLimits.loadMs,
  graceMs: runLimits.graceMs,
  endMs: 1_000,
  sampleMs: 250,
  samplesPerPing: 4,
  missedPings: 5,
  residentBytes: 512 * mebibyte,
  heapMb: 256,
  maxOutputBytes: mebibyte,
};

export interface PluginProcessesOptions {
  readonly kernel: Kernel;
  readonly store: Store;
  /** Where each plugin gets a folder of its own. */
  readonly folder: string;
  /** Default: {@link processLimits}. */
  readonly limits?: Partial<typeof processLimits>;
  /** Default: that of this process. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Default: the child's program of this package. */
  readonly program?: string;
  /** The journal can't be written: the host must stop, or it could leave processes behind. */
  failed(error: unknown): void;
  /** A plugin has failed too often and runs no more. */
  disabled(plugin: string, error: AppError): void;
}

/** The processes of plugins: makes their runners, and knows on disk which there are. */
export class PluginProcesses {
  readonly #options: PluginProcessesOptions;
  readonly #limits: typeof processLimits;
  readonly #journal: ProcessJournal;
  readonly #program: string;
  readonly #runners = new Map<string, ProcessRunner>();
  #generation = 0;

  private constructor(options: PluginProcessesOptions) {
    this.#options = options;
    this.#limits = { ...processLimits, ...options.limits };
    this.#journal = new ProcessJournal(options.store);
    this.#program = realpathSync(options.program ?? childProgram());
  }

  /** Ends what an earlier host has left (protocol.md 24). Nothing may be said to the daemon before. */
  static async open(options: PluginProcessesOptions): Promise<PluginProcesses> {
    const processes = new PluginProcesses(options);
    const { log, clock } = options.kernel;
    const left = await processes.#journal.load();
    await Promise.all(
      left.map(async (tree) => {
        const ended = await endTree(tree, false, { clock });
        if (ended > 0) log.warn({ pid: tree.pid, ended }, 'Ended processes that outlived the host before');
        await processes.#journal.forget(tree);
      }),
    );
    return processes;
  }

  /** A runner for one build of a plugin. Its process starts when it is first needed. */
  runner(plugin: ProcessPlugin): ProcessRunner {
    const { kernel } = this.#options;
    const key = `${plugin.plugin}#${++this.#generation}`;
    const parts: ProcessParts = {
      directory: kernel.directory,
      deadlines: kernel.deadlines,
      clock: kernel.clock,
      log: kernel.log,
      random: kernel.random,
      limits: this.#limits,
      enforced: this.#plan(plugin, join(this.#options.folder, plugin.plugin)).enforced,
      launch: (spec, handlers) => {
        try {
          return this.#launch(plugin, spec, handlers);
        } catch (thrown) {
          return neverStarted(thrown instanceof Error ? thrown.message : String(thrown), handlers);
        }
      },
      journal: (name, tree, done) => {
        this.#journal.write(name, tree, kernel.clock.now()).then(done, this.#options.failed);
      },
      forget: (tree) => {
        this.#journal.forget(tree).catch(this.#options.failed);
      },
      disabled: (name, error) => this.#options.disabled(name, error),
      stopped: () => void this.#runners.delete(key),
    };
    const runner = new ProcessRunner(key, plugin, parts);
    this.#runners.set(key, runner);
    return runner;
  }

  /** The actor of a runner's process crashed. */
  abandon(key: string, error: unknown): void {
    this.#runners.get(key)?.abandon(error);
  }

  /** @throws what the file system and the operating system throw */
  #launch(plugin: ProcessPlugin, { permissions }: ProcessSpec, handlers: ProcessHandlers): ProcessLink {
    const { environment = process.env, kernel } = this.#options;
    const workFolder = this.#workFolder(plugin.plugin);
    const options = {
      program: this.#program,
      flags: this.#plan(plugin, workFolder).flags,
      environment: permittedEnvironment(permissions, environment),
      workFolder,
      heapMb: this.#limits.heapMb,
      clock: kernel.clock,
    };
    return launchPluginChild(options, handlers);
  }

  #plan({ permissions, folder }: ProcessPlugin, workFolder: string): PermissionPlan {
    const readable = [
      this.#program,
      folder,
      ...packageFolders(folder),
      ...packageFolders(dirname(this.#program)),
    ];
    return permissionPlan({ permissions, readable: [...new Set(readable)], workFolder });
  }

  #workFolder(plugin: string): string {
    const folder = join(this.#options.folder, plugin);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return realpathSync(folder);
  }
}
