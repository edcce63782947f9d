import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Server } from '@grpc/grpc-js';
import { type ClockStep, ClockWatch } from '../actors/clock-watch.js';
import type { Control } from '../actors/control.js';
import { daemonTree } from '../actors/daemon-tree.js';
import { enforceDecisions } from '../actors/device/enforcement.js';
import { FanoutRetention } from '../actors/fanout/retention.js';
import { keepPruned } from '../actors/pairing/retention.js';
import { settleRestored } from '../actors/restored-state.js';
import { writePrivateFile } from '../adapters/os/private-file.js';
import { openStateDirectory, type StateDirectory } from '../adapters/os/state-directory.js';
import type { KeySource } from '../adapters/pki/keys.js';
import { SecretFiles } from '../adapters/secrets/secret-files.js';
import { RevocationFile } from '../adapters/store/revocation-file.js';
import { openStore } from '../adapters/store/sqlite/sqlite-store.js';
import { type Clock, systemClock } from '../kernel/clock.js';
import { createKernel, startRoot } from '../kernel/kernel.js';
import type { KernelLog } from '../kernel/log.js';
import type { Secret } from '../kernel/secret.js';
import { WorkerReviewer } from '../plugins/review/worker-reviewer.js';
import type { AuthorityOptions } from './authorities.js';
import type { ConfigReading } from './config/daemon-config.js';
import { daemonContainer } from './container.js';
import { openControlPlane } from './control-plane.js';
import { DaemonPlugins } from './daemon-plugins.js';
import { openNodePorts } from './node-ports.js';
import { openAuthority } from './open-authority.js';
import { openRecords } from './open-records.js';
import { tokens } from './tokens.js';

export interface DaemonOptions {
  readonly reading: ConfigReading;
  /** Reads the configuration again, for a reload. @throws AppError `config.*` */
  reread(): ConfigReading;
  readonly stateDirectory: string;
  readonly log: KernelLog;
  /** Seals the keys in the state directory. */
  readonly passphrase?: Secret<string>;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Of the CAs and of the daemon's certificates. Default: fresh ones. */
  readonly keys?: KeySource;
}

/** Where the daemon can be reached. */
export interface DaemonAddresses {
  /** The URL of the control plane. */
  readonly http: string;
  /** `host:port`. */
  readonly enrollment: string;
  /** `host:port`. */
  readonly node: string;
}

/** A running daemon. */
export interface Daemon {
  readonly control: Control;
  readonly plugins: DaemonPlugins;
  readonly addresses: DaemonAddresses;
  /** SHA-256 of the CA certificate, hex. */
  readonly caFingerprint: string;
  readonly stateDirectory: string;
  /** When the wall clock of this machine was last set while it ran, and how far. */
  readonly lastClockStep: ClockStep | undefined;
  /** Resolves when it has stopped; rejects with what made it stop. */
  readonly ended: Promise<void>;
  /** Stops in phases; nothing that was accepted is lost. */
  stop(reason: string): Promise<void>;
}

/** How long a stop waits for dispatches that are under way, milliseconds. */
const drainMs = 5_000;

/**
 * Starts a daemon: takes the state directory, opens the store, the CA and the plugins, starts the actors from their records
 * and then opens the ports.
 *
 * @throws AppError `state.locked` when another daemon has the directory, `passphrase.*`, `store.*`,
 *   `pki.*`, `listener.cannot_listen`.
 * @example
 * const read = () => readConfig({ env: process.env, flags: {} });
 * const daemon = await startDaemon({ reading: read(), reread: read, stateDirectory, log });
 * await daemon.stop('finished');
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const directory = await openStateDirectory(options.stateDirectory, {
    program: 'palyrad',
    log: options.log,
  });
  const opened: (() => Promise<void> | void)[] = [() => directory.release()];
  try {
    return await startIn(directory, options, opened);
  } catch (thrown) {
    for (const close of opened.reverse()) await close();
    throw thrown;
  }
}

/** `opened` collects what has to be closed, in reverse, when a later step fails. */
async function startIn(
  directory: StateDirectory,
  { reading, reread, log, passphrase, clock = systemClock, keys }: DaemonOptions,
  opened: (() => Promise<void> | void)[],
): Promise<Daemon> {
  const { config } = reading;
  const fatal = new FatalError();
  const kernel = createKernel({ log, clock });
  const files = await SecretFiles.open(directory.path, passphrase, log);
  const store = await openStore(join(directory.path, 'palyra.db'), {
    log,
    onFailure: (error) => fatal.raise(error),
  });
  opened.push(() => store.close());
  const restored = await settleRestored(store, clock);
  if (restored) {
    const backupAt = new Date(restored.backupAt).toISOString();
    log.warn(
      { ...restored, backupAt },
      'First start with a restored state: what may have run since is unknown',
    );
  }
  const authorityOptions: AuthorityOptions = {
    directory: directory.path,
    files,
    clock,
    log,
    certificates: config.certificates,
    ...(keys === undefined ? {} : { keys }),
  };
  const authority = await openAuthority(kernel, store, config, authorityOptions);
  const { authorities } = authority;
  const plugins = await DaemonPlugins.open({ reading, reread, log });
  const { catalog, policy } = plugins;
  const revocations = await openRevocations(directory.path, log);
  opened.push(() => revocations.close());
  const reviewer = new WorkerReviewer(kernel.deadlines);
  opened.push(() => reviewer.close());
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
  const bound = { enrollment: [] as readonly string[], node: [] as readonly string[] };
  const container = daemonContainer({
    kernel,
    config,
    store,
    authorities,
    authorityRecords: authority.records,
    factsOfCa: authority.factsOf,
    catalog,
    plugins,
    reviewer,
    ...records,
    advertised: { enrollment: () => bound.enrollment, node: () => bound.node },
    storeFailed: (error) => fatal.raise(error),
  });
  const control = container.resolve(tokens.control);
  const dispatches = container.resolve(tokens.dispatches);
  const sessions = container.resolve(tokens.sessions);
  const retention = container.resolve(tokens.retention);
  opened.push(() => retention.stop());
  plugins.onChange((next) => {
    records.surface.configure(next);
    sessions.tellSurfaces();
  });

  const root = await new Promise<ReturnType<typeof startRoot>>((resolve, reject) => {
    const tree = daemonTree({
      kernel,
      sessions,
      pairings: records.pairings,
      dispatches,
      fanouts: container.resolve(tokens.fanouts),
      authority: () => authority.input(records.devices),
      serverCertificate: authority.serverCertificatePorts(),
      pruning: container.resolve(tokens.pruning),
      recovered: () => resolve(handle),
    });
    const handle = startRoot(kernel, tree);
    handle.stopped.then((outcome) => {
      if (outcome.status === 'error') {
        reject(outcome.error);
        fatal.raise(outcome.error);
      }
    });
  });
  opened.push(async () => {
    await root.shutdown('The start failed', 1_000);
  });
  const clockWatch = new ClockWatch(kernel);
  clockWatch.start();
  opened.push(() => clockWatch.stop());
  keepPruned({ ...kernel, pruned: { pairing: records.pairings, 'pairing-code': records.codes } });
  const fanoutRetention = new FanoutRetention({
    ...kernel,
    store,
    ageMs: config.dispatch.retentionMs,
    count: config.dispatch.retentionCount,
  });
  fanoutRetention.start();
  opened.push(() => fanoutRetention.stop());

  const ports = await openNodePorts({
    config,
    certificates: authority.certificates,
    authorities,
    kernel,
    enrolment: container.resolve(tokens.enrolment),
    returns: container.resolve(tokens.returns),
    pairings: records.pairings,
    devices: records.devices,
    renewals: container.resolve(tokens.renewals),
    sessions,
    servers: { enrollment: new Server(grpcLimits), node: new Server(grpcLimits) },
    advertised: () => bound,
  });
  opened.push(() => ports.close(0));
  enforceDecisions({
    devices: records.devices,
    deadlines: kernel.deadlines,
    sessions,
    dispatches,
    connectionsOf: (deviceId) => ports.connectionsOf(deviceId),
  });
  bound.enrollment = ports.advertisedEnrollment;
  bound.node = ports.advertisedNode;
  const http = await openControlPlane({ config, directory: directory.path, control, log });
  opened.push(() => http.close());
  const urlFile = join(directory.path, 'control.url');
  await writePrivateFile(urlFile, `${http.url}\n`);

  const stop = async (reason: string): Promise<void> => {
    log.info({ reason }, 'Stopping');
    clockWatch.stop();
    retention.stop();
    fanoutRetention.stop();
    dispatches.stopAccepting();
    await dispatches.drained(drainMs);
    await http.close();
    await root.shutdown(reason, 5_000);
    await ports.close(1_000);
    await reviewer.close();
    await container.resolve(tokens.recorder).flush();
    await container.resolve(tokens.fanoutRecorder).flush();
    await store.close();
    await revocations.close();
    await rm(urlFile, { force: true });
    await directory.release();
    fatal.settle();
  };
  return {
    control,
    plugins,
    addresses: { http: http.url, enrollment: ports.enrollment, node: ports.node },
    caFingerprint: authorities.issuing.fingerprint,
    stateDirectory: directory.path,
    get lastClockStep() {
      return clockWatch.last;
    },
    ended: fatal.ended,
    stop,
  };
}

/**
 * Limits of both gRPC servers (spec section 13): a message of 4 MiB, a few calls at a time on a connection, a minute for a
 * connection without calls, and keepalive that finds a dead link.
 */
const grpcLimits = {
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  'grpc.max_send_message_length': 4 * 1024 * 1024,
  'grpc.max_concurrent_streams': 16,
  'grpc.max_connection_idle_ms': 60_000,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
};

/** The decisions about devices, in a file that no backup of the database takes back. */
async function openRevocations(directory: string, log: KernelLog): Promise<RevocationFile> {
  const path = join(directory, 'revocations.log');
  const file = await RevocationFile.open(path);
  if (file.torn > 0)
    log.warn({ path, bytes: file.torn }, 'Cut off a revocation that was never written to its end');
  return file;
}

/** The end of the daemon, as one promise; a fault that it can't go on with ends it with that fault. */
class FatalError {
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  readonly ended = new Promise<void>((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  raise(error: unknown): void {
    this.#reject(error);
  }

  settle(): void {
    this.#resolve();
  }
}
