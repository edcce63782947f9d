import { createActor } from 'xstate';
import { daemonTree } from '../actors/daemon-tree.js';
import type { RevocationLog } from '../actors/device/revocations.js';
import { type DaemonConfig, loadConfig } from '../daemon/config/daemon-config.js';
import { daemonContainer } from '../daemon/container.js';
import { openRecords } from '../daemon/open-records.js';
import { tokens } from '../daemon/tokens.js';
import type { Clock } from '../kernel/clock.js';
import { createKernel, type Kernel } from '../kernel/kernel.js';
import type { KernelLog } from '../kernel/log.js';
import type { Store } from '../kernel/store.js';
import type { SupervisorLogic } from '../kernel/supervisor.js';
import type { Catalog } from '../plugins/catalog.js';
import { inlineReviewer } from './inline-reviewer.js';
import { turns } from './process-life.js';
import { type ModelAuthority, quietAuthority } from './quiet-authority.js';
import { silentLog } from './silent-log.js';

export interface ModelDaemonOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly revocations: RevocationLog;
  readonly catalog: Catalog;
  /** What differs from the defaults. */
  readonly config?: (defaults: DaemonConfig) => DaemonConfig;
  /** Default: {@link quietAuthority}. */
  authority?(kernel: Kernel, store: Store, config: DaemonConfig): Promise<ModelAuthority>;
  /** Default: nothing is logged. */
  readonly log?: KernelLog;
  storeFailed(error: unknown): void;
}

/**
 * A daemon's insides, wired as the program wires them, over the store and the clock of a test: everything but ports and
 * processes. Nothing runs until its tree is started.
 */
export async function modelDaemon(options: ModelDaemonOptions) {
  const { clock, store, revocations, catalog, storeFailed } = options;
  const defaults = loadConfig({ env: {}, flags: {} });
  const config = options.config?.(defaults) ?? defaults;
  const kernel = createKernel({ clock, log: options.log ?? silentLog, random: () => 0.5 });
  const authority = await (options.authority ?? quietAuthority)(kernel, store, config);
  const { authorities, records: authorityRecords, factsOf: factsOfCa } = authority;
  const reviewer = inlineReviewer;
  const policy = { enabled: new Set(config.plugins.enabled), settings: new Map() };
  const records = await openRecords({
    kernel,
    store,
    revocations,
    config,
    authorities,
    catalog,
    reviewer,
    policy,
  });
  const advertised = { enrollment: () => ['daemon:7443'], node: () => ['daemon:7444'] };
  const container = daemonContainer({
    ...records,
    kernel,
    config,
    store,
    authorities,
    authorityRecords,
    factsOfCa,
    catalog,
    plugins: {
      list: async () => [],
      get: async () => [],
      reload: async () => ({ plugins: [], restartNeeded: [] }),
    },
    reviewer,
    advertised,
    storeFailed,
  });
  const sessions = container.resolve(tokens.sessions);
  const dispatches = container.resolve(tokens.dispatches);
  return {
    kernel,
    container,
    devices: records.devices,
    pairings: records.pairings,
    sessions,
    dispatches,
    live: container.resolve(tokens.live),
    /** @param recovered as in `DaemonTreeOptions` */
    tree: (recovered: () => void): SupervisorLogic =>
      daemonTree({
        kernel,
        sessions,
        pairings: records.pairings,
        dispatches,
        fanouts: container.resolve(tokens.fanouts),
        authority: () => authority.input(records.devices),
        serverCertificate: authority.serverCertificatePorts(),
        pruning: container.resolve(tokens.pruning),
        recovered,
      }),
  };
}

export type ModelDaemon = Awaited<ReturnType<typeof modelDaemon>>;

/** Starts the tree of a model daemon, and has it when it has recovered. */
export async function startTree({ tree }: Pick<ModelDaemon, 'tree'>): Promise<{ stop(): void }> {
  let isReady = false;
  const root = createActor(
    tree(() => {
      isReady = true;
    }),
  );
  root.start();
  while (!isReady) await turns(1);
  return root;
}
