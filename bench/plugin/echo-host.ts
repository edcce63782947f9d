import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { processesChild } from '../../src/actors/plugin-process/processes-child.js';
import { openStore } from '../../src/adapters/store/sqlite/sqlite-store.js';
import { createKernel, type RootHandle, startRoot } from '../../src/kernel/kernel.js';
import type { Store } from '../../src/kernel/store.js';
import { supervisor } from '../../src/kernel/supervisor.js';
import { PluginProcesses } from '../../src/node/plugin-processes.js';
import { discoverPlugins } from '../../src/plugins/discovery.js';
import { PluginHost } from '../../src/plugins/plugin-host.js';
import type { Call } from '../measure.js';

const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

interface Parts {
  readonly root: RootHandle;
  readonly store: Store;
  readonly directory: string;
  load(): Promise<PluginHost>;
}

/** The plugin host of a node with `echo` alone, inline or in a process that the node's own parts start and journal. */
export class EchoHost {
  readonly #parts: Parts;
  readonly #plugins: PluginHost;

  private constructor(plugins: PluginHost, parts: Parts) {
    this.#plugins = plugins;
    this.#parts = parts;
  }

  /** @param packed the folder of the plugin */
  static async open(packed: string, isolation: 'inline' | 'process'): Promise<EchoHost> {
    const directory = await mkdtemp(join(tmpdir(), 'palyra-bench-echo-'));
    const fail = (error: unknown): never => {
      throw error;
    };
    const store = await openStore(join(directory, 'node.db'), { log, onFailure: fail });
    const kernel = createKernel({ log });
    const processes = await PluginProcesses.open({
      kernel,
      store,
      folder: join(directory, 'plugins'),
      failed: fail,
      disabled: (_, error) => fail(error),
    });
    const children = [processesChild(kernel, (key, error) => processes.abandon(key, error))];
    const root = startRoot(kernel, supervisor({ kernel, strategy: 'one_for_one', children }));
    const { plugins } = await discoverPlugins([dirname(packed)]);
    const load = () =>
      PluginHost.load({
        plugins: plugins.filter(({ manifest }) => manifest.name === 'echo'),
        services: { openUrl: async () => undefined },
        trusted: () => true,
        isolated: () => isolation === 'process',
        processRunner: (one) => processes.runner(one),
      });
    return new EchoHost(await load(), { root, store, directory, load });
  }

  /** One run of `echo`. */
  readonly call: Call = (done) => {
    echo(this.#plugins).then(() => done(), done);
  };

  /** How long the first run of a plugin takes that has no process yet, milliseconds. The process is ended again. */
  async coldCall(): Promise<number> {
    const plugins = await this.#parts.load();
    const started = performance.now();
    await echo(plugins);
    const took = performance.now() - started;
    await plugins.stop();
    return took;
  }

  async close(): Promise<void> {
    const { root, store, directory } = this.#parts;
    await this.#plugins.stop();
    await root.shutdown('measured', 6_000);
    await store.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function echo(plugins: PluginHost): Promise<unknown> {
  return plugins.execute({
    capability: 'echo',
    digest: plugins.descriptors()[0]?.digest ?? '',
    input: { message: 'x'.repeat(64) },
    signal: new AbortController().signal,
    deadline: Number.MAX_SAFE_INTEGER,
    progress: ignore,
    log,
  });
}
