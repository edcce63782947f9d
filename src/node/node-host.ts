import { join } from 'node:path';
import { digestOfSurface } from '../actors/device/announcement.js';
import { nodeError } from '../actors/errors.js';
import { Executions } from '../actors/execution/executions.js';
import { ExecutionJournal } from '../actors/execution/journal.js';
import type { JoinString } from '../actors/identity/join-string.js';
import type { PluginAnnouncement } from '../actors/link/frames.js';
import { RememberedAnswers } from '../actors/mediation/answers.js';
import type { Mediator } from '../actors/mediation/question.js';
import { nodeTree } from '../actors/node-tree.js';
import { privateDirectory } from '../adapters/os/private-directory.js';
import { openStateDirectory, type StateDirectory } from '../adapters/os/state-directory.js';
import { freshKeys, type KeySource } from '../adapters/pki/keys.js';
import { SecretFiles } from '../adapters/secrets/secret-files.js';
import { openStore } from '../adapters/store/sqlite/sqlite-store.js';
import { systemClock } from '../kernel/clock.js';
import { createKernel, type RootHandle, startRoot } from '../kernel/kernel.js';
import type { KernelLog } from '../kernel/log.js';
import type { Secret } from '../kernel/secret.js';
import type { Store } from '../kernel/store.js';
import type { HostServices } from '../plugins/sdk/handler.js';
import { capabilityHost } from './capability-host.js';
import type { PinInvitation } from './code-proof.js';
import { Credentials } from './credentials.js';
import { grpcLink } from './daemon-link.js';
import { DaemonTime } from './daemon-time.js';
import { type EnrolmentInput, joinByPin, joinDaemon, resumeConfirming, resumePairing } from './enrolment.js';
import { HostControl } from './host-control.js';
import { hostFacts } from './host-facts.js';
import { IdentityStore, type Membership, type OpenPairing } from './identity-store.js';
import { nodeMediations } from './node-mediations.js';
import { NodePlugins } from './node-plugins.js';
import { PluginProcesses } from './plugin-processes.js';
import type { PluginSource } from './plugin-rules.js';
import { renewalPorts } from './renewal-ports.js';
import type { Reporter } from './reporter.js';
import { sessionTicket } from './session-ticket.js';
import { nodeDatabase } from './stored-answers.js';
import { uplinkPorts } from './uplink-ports.js';

export interface NodeHostOptions {
  readonly stateDirectory: string;
  /** Where plugins are looked for, and what the owner of the machine says of them. */
  readonly pluginSource: PluginSource;
  /** For a machine that is not paired yet. */
  readonly invitation?: Invitation;
  readonly services: HostServices;
  readonly mediator: Mediator;
  readonly log: KernelLog;
  /** Seals the keys in the state directory. */
  readonly passphrase?: Secret<string>;
  readonly report: Reporter;
  /** How long running handlers have to end when the host stops, milliseconds. */
  readonly drainMs: number;
  /** Whether a manager of services has started it, rather than a person. Default: false. */
  readonly asService?: boolean;
  /** Of its identity and its certificates. Default: fresh ones. */
  readonly keys?: KeySource;
}

/** How a host calls itself where it locks its state directory. */
export const hostPrograms = { terminal: 'palyra node', service: 'palyra node (service)' } as const;

/** What a machine was invited with: a join string, or a PIN and where it counts. */
export type Invitation =
  | { readonly method: 'join'; readonly join: JoinString }
  | ({ readonly method: 'pin' } & PinInvitation);

/** How much longer than its handlers a host may take to end, milliseconds: processes of plugins, renewal and uplink. */
export const endReserveMs = 8_500;

/** A running node host. */
export interface NodeHost {
  readonly deviceId: string;
  /** Resolves when it has ended; rejects when it could not go on. */
  readonly ended: Promise<void>;
  readonly plugins: NodePlugins;
  stop(reason: string): Promise<void>;
}

/**
 * Starts a node host: takes the state directory, loads the plugins, pairs if need be, and keeps the line to the daemon.
 *
 * @throws AppError `node.not_paired` without a membership, an open pairing and a join string; what enrolment throws; what
 *   the state directory, its passphrase and the store throw.
 */
export async function startNodeHost(options: NodeHostOptions, signal: AbortSignal): Promise<NodeHost> {
  const directory = await openStateDirectory(options.stateDirectory, {
    program: hostPrograms[options.asService === true ? 'service' : 'terminal'],
    log: options.log,
  });
  const { log, report } = options;
  const control = await HostControl.open({ directory: directory.path, clock: systemClock, log, report });
  try {
    return await startIn(directory, control, { ...options, report: control.report }, signal);
  } catch (thrown) {
    await control.close();
    await directory.release();
    throw thrown;
  }
}

async function startIn(
  directory: StateDirectory,
  control: HostControl,
  options: NodeHostOptions,
  signal: AbortSignal,
): Promise<NodeHost> {
  const files = await SecretFiles.open(directory.path, options.passphrase, options.log);
  const identityStore = new IdentityStore(privateDirectory(directory.path), options.keys ?? freshKeys, files);
  const standing = await readStanding(identityStore, options.invitation);
  const ending = new Ending();
  // Whoever starts the host learns of it too; this only says that nobody may listen yet.
  ending.promise.catch(() => undefined);
  const store = await openStore(join(directory.path, nodeDatabase), {
    log: options.log,
    onFailure: (error) => ending.reject(error),
  });
  try {
    return await startWith({ directory, control, identityStore, standing, ending, store }, options, signal);
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

interface Opened {
  readonly directory: StateDirectory;
  readonly control: HostControl;
  readonly identityStore: IdentityStore;
  readonly standing: Standing;
  readonly ending: Ending;
  readonly store: Store;
}

async function startWith(opened: Opened, options: NodeHostOptions, signal: AbortSignal): Promise<NodeHost> {
  const { directory, control, identityStore, standing, ending, store } = opened;
  const { report, drainMs, log } = options;
  const kernel = createKernel({ log });
  const processes = await PluginProcesses.open({
    kernel,
    store,
    folder: join(directory.path, 'plugins'),
    failed: (error) => ending.reject(error),
    disabled: (plugin, error) => {
      report({ event: 'plugin_disabled', plugin, error: error.toEnvelope() });
      plugins.announce();
    },
  });
  const plugins = await NodePlugins.load({
    ...options,
    source: options.pluginSource,
    processes,
    directory: kernel.directory,
  });
  const identity = await identityStore.identity();
  const answers = new RememberedAnswers(store, kernel.clock);
  // Who asked by a name in one daemon is somebody else in another.
  if (standing.kind !== 'member') await answers.forget();
  const membership = await ensureMembership(standing, {
    store: identityStore,
    announced: plugins.announced(),
    options,
    signal,
  });
  const credentials = await Credentials.open(identityStore, identity, membership);
  const { mediator } = options;
  const unwatch = answers.watch(kernel.deadlines, (err) =>
    log.warn({ err }, 'The time of remembered answers could not be marked'),
  );
  const mediations = nodeMediations({ kernel, store, answers, mediator, report });
  const executions = await Executions.open({
    directory: kernel.directory,
    deadlines: kernel.deadlines,
    clock: kernel.clock,
    log: kernel.log,
    journal: new ExecutionJournal(store),
    host: capabilityHost({ plugins: plugins.host, mediations, log: kernel.log }),
    failed: (error) => ending.reject(error),
    ran: (order, result) =>
      report({
        event: 'ran',
        dispatchId: order.dispatchId,
        capability: order.capability,
        outcome: result.outcome,
        durationMs: result.durationMs,
        ...(result.error === undefined ? {} : { error: result.error }),
      }),
  });
  control.know(() => ({
    deviceId: identity.deviceId,
    name: credentials.membership.name,
    certificateEnds: credentials.newest.notAfter,
    running: executions.running,
  }));
  const daemonTime = new DaemonTime(kernel.clock);
  const ticket = await sessionTicket(store, kernel.clock);
  const link = grpcLink;
  const uplink = uplinkPorts({
    kernel,
    link,
    ticket,
    executions,
    credentials,
    daemonTime,
    plugins,
    report,
  });
  const renewal = renewalPorts({ kernel, link, identity, credentials, executions, daemonTime, report });
  const root = startRoot(
    kernel,
    nodeTree({ kernel, uplink, renewal, executions, mediations, processes, drainMs }),
  );
  const confirming = new AbortController();
  if (standing.kind === 'member') {
    resumeConfirming(membership, { store: identityStore, report, signal: confirming.signal }).catch(
      (err: unknown) => {
        if (!confirming.signal.aborted)
          log.warn({ err }, 'The daemon could not be told that the pairing is done');
      },
    );
  }
  finishWith(root, ending, async () => {
    confirming.abort();
    unwatch();
    mediator.close();
    // Its time would keep the process alive, and look into a store that is closed.
    kernel.deadlines.release(answers);
    await plugins.host.stop();
    await control.close();
    await store.close();
    await directory.release();
  });
  return {
    deviceId: identity.deviceId,
    plugins,
    ended: ending.promise,
    stop: async (reason) => {
      control.stopping(reason);
      // Executions, then processes of plugins, renewal and uplink: what each has at most is in `nodeTree`.
      await root.shutdown(reason, drainMs + endReserveMs);
      await ending.promise;
      report({ event: 'stopped', reason });
    },
  };
}

/** The end of the host as a promise that whoever learns of it settles; only the first word counts. */
class Ending {
  resolve: () => void = () => {};
  reject: (error: unknown) => void = () => {};
  readonly promise = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

/** When the tree has ended, everything that was opened is closed; then the host has ended. */
function finishWith(root: RootHandle, ending: Ending, close: () => Promise<void>): void {
  root.stopped
    .then(async (outcome) => {
      await close();
      if (outcome.status === 'error') throw outcome.error;
    })
    .then(
      () => ending.resolve(),
      (error: unknown) => ending.reject(error),
    );
}

/** How this machine stands with a daemon when its host starts. */
type Standing =
  | { readonly kind: 'invited'; readonly invitation: Invitation }
  | { readonly kind: 'asked'; readonly pairing: OpenPairing }
  | { readonly kind: 'member'; readonly membership: Membership };

/** @throws AppError `node.not_paired`. */
async function readStanding(store: IdentityStore, invitation: Invitation | undefined): Promise<Standing> {
  if (invitation) return { kind: 'invited', invitation };
  const membership = await store.readMembership();
  if (membership) return { kind: 'member', membership };
  const pairing = await store.readPairing();
  if (pairing?.pairingId !== undefined) return { kind: 'asked', pairing };
  throw nodeError('not_paired', 'This machine is not paired with a daemon', {
    hint: "Get a join string from the operator (`palyra pair`), then: palyra node run 'palyra://join/…'. With a PIN (`palyra pair --pin`): palyra node run --pin HOST:7443",
  });
}

interface MembershipParts {
  readonly store: IdentityStore;
  readonly announced: readonly PluginAnnouncement[];
  readonly options: NodeHostOptions;
  readonly signal: AbortSignal;
}

async function ensureMembership(standing: Standing, parts: MembershipParts): Promise<Membership> {
  if (standing.kind === 'member') return standing.membership;
  const { store, announced, options, signal } = parts;
  const { report } = options;
  const surfaceDigest = Buffer.from(
    digestOfSurface(announced.flatMap((plugin) => plugin.descriptors)),
    'hex',
  );
  const identity = await store.joining();
  const input = { store, identity, plugins: announced, surfaceDigest, facts: hostFacts(), report, signal };
  const membership =
    standing.kind === 'invited'
      ? await accept(standing.invitation, input)
      : await resumePairing(standing.pairing, input);
  report({ event: 'paired', deviceId: membership.deviceId, name: membership.name });
  return membership;
}

function accept(invitation: Invitation, input: EnrolmentInput): Promise<Membership> {
  return invitation.method === 'join' ? joinDaemon(invitation.join, input) : joinByPin(invitation, input);
}
