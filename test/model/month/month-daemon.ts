import { createActor } from 'xstate';
import { enforceDecisions } from '../../../src/actors/device/enforcement.js';
import type { DeviceRecord } from '../../../src/actors/device/record.js';
import type { KeySource } from '../../../src/adapters/pki/keys.js';
import { SecretFiles } from '../../../src/adapters/secrets/secret-files.js';
import type { MemoryStore } from '../../../src/adapters/store/memory.js';
import type { DaemonConfig } from '../../../src/daemon/config/daemon-config.js';
import { openAuthority } from '../../../src/daemon/open-authority.js';
import { tokens } from '../../../src/daemon/tokens.js';
import type { Clock } from '../../../src/kernel/clock.js';
import type { Kernel } from '../../../src/kernel/kernel.js';
import type { Store, StoreOperation } from '../../../src/kernel/store.js';
import { Catalog } from '../../../src/plugins/catalog.js';
import { ValidatorCache } from '../../../src/plugins/validators.js';
import { type ModelDaemon, modelDaemon } from '../../../src/testing/memory-daemon.js';
import { MemoryRevocations } from '../../../src/testing/memory-revocations.js';
import { clockOf, turns } from '../../../src/testing/process-life.js';
import { silent } from '../samples.js';
import type { DaemonPorts } from './link.js';
import { CountedStore, type Process } from './process.js';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** What a daemon leaves behind when it dies. */
export interface DaemonDisk {
  readonly store: MemoryStore;
  /** Where its keys and certificates are: real files. */
  readonly directory: string;
}

export interface MonthDaemonOptions {
  readonly life: Process;
  readonly disk: DaemonDisk;
  /** As it sees the time. */
  readonly clock: Clock;
  readonly keys: KeySource;
  violated(rule: string): void;
}

export type MonthDaemon = DaemonPorts &
  Pick<ModelDaemon, 'devices' | 'pairings' | 'sessions' | 'kernel' | 'container'>;

/** Certificates live as long as by default, but for the daemon's own, so that it renews them as often as in half a year. */
export function monthConfig(defaults: DaemonConfig): DaemonConfig {
  return {
    ...defaults,
    // A dead link is found by the connection here, as by gRPC's keepalive; beats would only cost time.
    session: { heartbeatMs: hour, heartbeatMaxMs: hour },
    pairing: { ...defaults.pairing, return: 'allow' },
    certificates: { ...defaults.certificates, serverLifetimeMs: 5 * day },
  };
}

/** What keeps certificates on the daemon's disk. */
export async function authorityOf(
  kernel: Kernel,
  store: Store,
  config: DaemonConfig,
  options: AuthorityParts,
) {
  const { directory, keys } = options;
  const { clock } = kernel;
  const { certificates } = config;
  const files = await SecretFiles.open(directory, undefined, silent);
  return openAuthority(kernel, store, config, { directory, files, clock, log: silent, certificates, keys });
}

interface AuthorityParts {
  readonly directory: string;
  readonly keys: KeySource;
}

/** Starts a daemon's actors from its disk: wired as the program wires them, with its real CA, over the ports of memory. */
export async function startMonthDaemon(options: MonthDaemonOptions): Promise<MonthDaemon> {
  const { life, disk, keys, violated } = options;
  const store = new CountedStore(life, disk.store, (operations) => {
    for (const broken of pendingTwice(operations))
      violated(`${broken} has more than one certificate pending`);
  });
  let own = (): string => '';
  const { kernel, container, devices, pairings, sessions, dispatches, tree } = await modelDaemon({
    clock: clockOf(life, options.clock),
    store,
    revocations: new MemoryRevocations(),
    catalog: new Catalog(new ValidatorCache()),
    config: monthConfig,
    storeFailed: (error) => violated(`the daemon's store failed: ${String(error)}`),
    authority: async (kernel, store, config) => {
      const authority = await authorityOf(kernel, store, config, { directory: disk.directory, keys });
      own = () => authority.certificates.current[0].certificatePem;
      const ports = authority.serverCertificatePorts();
      return {
        ...authority,
        serverCertificatePorts: () => ({ ...ports, renew: () => life.during(ports.renew()) }),
      };
    },
  });
  const connectionsOf = () => () => undefined;
  enforceDecisions({ devices, deadlines: kernel.deadlines, sessions, dispatches, connectionsOf });
  const root = createActor(
    tree(() => {
      isReady = true;
    }),
  );
  let isReady = false;
  life.onDeath(() => root.stop());
  root.start();
  while (!isReady) await turns(1);
  const advertised = { node: ['daemon:7444'], enrollment: ['daemon:7443'] };
  return {
    life,
    kernel,
    container,
    devices,
    pairings,
    sessions,
    renewals: container.resolve(tokens.renewals),
    returns: container.resolve(tokens.returns),
    enrolment: container.resolve(tokens.enrolment),
    certificate: own,
    caCertificates: () => container.resolve(tokens.authorities).caCertificates(),
    addresses: () => ({ nodeAddresses: advertised.node, enrollmentAddresses: advertised.enrollment }),
  };
}

/** The devices that are about to have two certificates pending (protocol.md 14). */
function pendingTwice(operations: readonly StoreOperation[]): readonly string[] {
  return operations.flatMap((operation) => {
    if (operation.op !== 'put' || operation.kind !== 'device') return [];
    const { certificates } = operation.data as Pick<DeviceRecord, 'certificates'>;
    return certificates.filter(({ pending }) => pending !== undefined).length > 1 ? [operation.id] : [];
  });
}
