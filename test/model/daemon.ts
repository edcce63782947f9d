import { daemonTree } from '../../src/actors/daemon-tree.js';
import type { RevocationLog } from '../../src/actors/device/revocations.js';
import { type DaemonConfig, loadConfig } from '../../src/daemon/config/daemon-config.js';
import { daemonContainer, tokens } from '../../src/daemon/container.js';
import { openRecords } from '../../src/daemon/open-records.js';
import type { Clock } from '../../src/kernel/clock.js';
import { createKernel, type Kernel } from '../../src/kernel/kernel.js';
import type { Store } from '../../src/kernel/store.js';
import type { SupervisorLogic } from '../../src/kernel/supervisor.js';
import type { Catalog } from '../../src/plugins/catalog.js';
import { type ModelAuthority, quietAuthority } from '../support/quiet-authority.js';
import { inlineReviewer, silent } from './samples.js';

export interface ModelDaemonOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly revocations: RevocationLog;
  readonly catalog: Catalog;
  /** What differs from the defaults. */
  readonly config?: (defaults: DaemonConfig) => DaemonConfig;
  /** Default: {@link quietAuthority}. */
  authority?(kernel: Kernel, store: Store, config: DaemonConfig): Promise<ModelAuthority>;
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
  const kernel = createKernel({ clock, log: silent, random: () => 0.5 });
  const authority = await (options.authority ?? quietAuthority)(kernel, store, config);
  const { authorities, records: authorityRecords, factsOf: factsOfCa } = authority;
  const reviewer = inlineReviewer;
  const records = await openRecords({ kernel, store, revocations, config, authorities, catalog, reviewer });
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
        authority: () => authority.input(records.devices),
        serverCertificate: authority.serverCertificatePorts(),
        recovered,
      }),
  };
}

export type ModelDaemon = Awaited<ReturnType<typeof modelDaemon>>;
