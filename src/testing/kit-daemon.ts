import { blankDevice } from '../actors/device/drafts.js';
import type { DeviceRecord } from '../actors/device/record.js';
import { toOperation } from '../actors/records.js';
import { MemoryStore } from '../adapters/store/memory.js';
import { tokens } from '../daemon/tokens.js';
import { verifiedCaller } from '../kernel/authority.js';
import type { Clock } from '../kernel/clock.js';
import type { KernelLog } from '../kernel/log.js';
import { hostFacts } from '../node/host-facts.js';
import { Catalog } from '../plugins/catalog.js';
import { ValidatorCache } from '../plugins/validators.js';
import { modelDaemon, startTree } from './memory-daemon.js';
import { MemoryRevocations } from './memory-revocations.js';
import { clockOf, type Life, ProcessStore } from './process-life.js';

/** Who the kit is to its daemon. */
export const operator = verifiedCaller({ kind: 'operator', name: 'test', role: 'admin' });

/** The node of the kit: as it is called, and by its id. */
export const node = { name: 'node', id: 'KITNODE' } as const;

/** Milliseconds; the certificate of the node outlives every test. */
const farAway = 10 * 365 * 86_400_000;

/** The certificate of the node, as TLS would prove it. */
export function peerOf(start: number) {
  return {
    deviceId: node.id,
    fingerprint: 'kit',
    certificateEnds: start + farAway,
    address: '192.0.2.1',
  };
}

/** What of a daemon outlives its process. The node is enrolled, and nothing that it offers is approved. */
export class DaemonDisk {
  readonly store = new MemoryStore();
  readonly revocations = new MemoryRevocations();

  static async make(now: number): Promise<DaemonDisk> {
    const disk = new DaemonDisk();
    await disk.store.commit([toOperation('device', node.id, enrolledDevice(now))]);
    return disk;
  }
}

function enrolledDevice(now: number): DeviceRecord {
  const { fingerprint, certificateEnds: notAfter } = peerOf(now);
  return {
    ...blankDevice(node.id, now),
    version: 1,
    state: 'trusted',
    name: node.name,
    facts: hostFacts(),
    certificates: [{ fingerprint, issuer: 'ca', serial: '1', notBefore: now, notAfter }],
  };
}

export interface KitDaemonOptions {
  readonly disk: DaemonDisk;
  readonly clock: Clock;
  /** Names of plugins that the operator enables. */
  readonly enabled: readonly string[];
  readonly log: KernelLog;
  storeFailed(error: unknown): void;
}

export type KitDaemon = Awaited<ReturnType<typeof startKitDaemon>>;

/** Starts the daemon's actors from its disk, as its program does. */
export async function startKitDaemon({ disk, clock, enabled, log, storeFailed }: KitDaemonOptions) {
  const life: Life = { dead: false };
  const daemon = await modelDaemon({
    clock: clockOf(life, clock),
    store: new ProcessStore(life, disk.store),
    revocations: disk.revocations,
    catalog: new Catalog(new ValidatorCache()),
    config: (defaults) => ({ ...defaults, plugins: { ...defaults.plugins, enabled: [...enabled] } }),
    log,
    storeFailed,
  });
  const root = await startTree(daemon);
  const { kernel, sessions, dispatches, devices, container } = daemon;
  return {
    life,
    kernel,
    sessions,
    dispatches,
    devices,
    surfaces: container.resolve(tokens.surfaces),
    stop: (): void => {
      life.dead = true;
      root.stop();
    },
  };
}
