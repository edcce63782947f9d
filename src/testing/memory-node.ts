import { generateKeyPairSync } from 'node:crypto';
import { createActor } from 'xstate';
import { sendToUplink } from '../actors/addresses.js';
import { nodeError } from '../actors/errors.js';
import { type ExecutionHost, Executions } from '../actors/execution/executions.js';
import { ExecutionJournal } from '../actors/execution/journal.js';
import { FrameBatch } from '../actors/link/batch.js';
import type { NodeFrame } from '../actors/link/frames.js';
import { type NodeTreeOptions, nodeTree } from '../actors/node-tree.js';
import type { RenewalPorts } from '../actors/renewal/behaviour.js';
import type { NodePeer } from '../actors/session/sessions.js';
import { jitteredBackoff } from '../kernel/backoff.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Store } from '../kernel/store.js';
import type { Credential } from '../node/credentials.js';
import type { DaemonLink } from '../node/daemon-link.js';
import { DaemonTime } from '../node/daemon-time.js';
import { isRefusal } from '../node/link-errors.js';
import { sessionTicket } from '../node/session-ticket.js';
import { type UplinkParts, uplinkPorts } from '../node/uplink-ports.js';
import type { Life } from './process-life.js';
import { type DaemonEnd, Wire } from './wire.js';

export interface MemoryNodeOptions extends Pick<UplinkParts, 'plugins' | 'report'> {
  readonly life: Life;
  readonly kernel: Kernel;
  readonly store: Store;
  readonly host: ExecutionHost;
  readonly mediations: NodeTreeOptions['mediations'];
  readonly line: NodeLine;
  storeFailed(error: unknown): void;
}

/** How a node reaches its daemon, and by which certificates. */
export interface NodeLine {
  readonly link: DaemonLink;
  readonly credentials: UplinkParts['credentials'];
  renewal(executions: Executions, daemonTime: DaemonTime): RenewalPorts;
}

export interface WireLineOptions {
  readonly life: Life;
  readonly kernel: Kernel;
  /** The node as TLS would prove it, with the certificate that it has now. */
  peer(): NodePeer;
  /** The daemon that listens at this moment. */
  daemon(): DaemonEnd | undefined;
  /** A connection was opened. Its frames move when somebody moves them. */
  opened(wire: Wire): void;
}

export interface MemoryNode {
  readonly life: Life;
  readonly kernel: Kernel;
  readonly executions: Executions;
  stop(): void;
}

/** A node's actors, wired as the node host wires them, over a store in memory and a line to its daemon. */
export async function startMemoryNode(options: MemoryNodeOptions): Promise<MemoryNode> {
  const { life, kernel, store, host, mediations, line, plugins, report, storeFailed } = options;
  const { clock, deadlines, directory, log } = kernel;
  const executions = await Executions.open({
    directory,
    deadlines,
    clock,
    log,
    journal: new ExecutionJournal(store),
    host,
    ran: () => undefined,
    failed: storeFailed,
  });
  const daemonTime = new DaemonTime(clock);
  const { link, credentials } = line;
  const ticket = await sessionTicket(store, clock);
  const uplink = uplinkPorts({ kernel, link, ticket, executions, credentials, daemonTime, plugins, report });
  const renewal = line.renewal(executions, daemonTime);
  const processes = { abandon: () => undefined };
  const drainMs = 1_000;
  const root = createActor(nodeTree({ kernel, uplink, renewal, executions, mediations, processes, drainMs }));
  root.start();
  return { life, kernel, executions, stop: () => root.stop() };
}

/** A line of {@link Wire}s. The node's certificate is whatever `peer` says and is never due. */
export function wireLine(options: WireLineOptions): NodeLine {
  return {
    link: linkOf(options),
    credentials: credentialsOf(options.peer),
    renewal: () => quietRenewal(options.kernel, options.peer),
  };
}

function linkOf({ life, kernel, peer, daemon, opened }: WireLineOptions): DaemonLink {
  const never = (): never => {
    throw nodeError('refused', 'Certificates are not renewed here');
  };
  return {
    openUplink: (_target, sayings, handlers) => {
      const end = daemon();
      if (!end) {
        setImmediate(() => handlers.ended(undefined));
        return unreachable();
      }
      const wire = new Wire(end, { life, kernel, peer: peer(), ...sayings }, handlers);
      opened(wire);
      return wire.uplink;
    },
    renewals: never,
    returns: never,
  };
}

/** A line to a daemon that is not there. */
function unreachable() {
  const batch = new FrameBatch<NodeFrame>(
    () => undefined,
    () => 0,
  );
  return { batch, fingerprint: '', hello: () => undefined, close: () => undefined };
}

function credentialsOf(peer: () => NodePeer): UplinkParts['credentials'] {
  // No TLS sees it.
  const { privateKey } = generateKeyPairSync('ed25519');
  const current = (): Credential => {
    const { fingerprint, certificateEnds: notAfter } = peer();
    return { certificatePem: '', privateKey, fingerprint, notBefore: 0, notAfter };
  };
  return {
    get membership() {
      const addresses = { nodeAddresses: ['memory'], enrollmentAddresses: ['memory'] };
      return { deviceId: peer().deviceId, name: '', certificate: '', caCertificates: [], ...addresses };
    },
    get newest() {
      return current();
    },
    choose: current,
    hasEnded: () => false,
    hasOther: () => false,
  };
}

/** A renewal for which nothing is ever due. */
function quietRenewal({ deadlines, clock, directory }: Kernel, peer: () => NodePeer): RenewalPorts {
  const notDue = () => Promise.reject(nodeError('refused', 'It is in force'));
  return {
    deadlines,
    clock,
    random: () => 0.5,
    backoff: jitteredBackoff({ firstMs: 1_000, baseMs: 1_000, maxMs: 1_000, random: () => 0.5 }),
    daemonNow: () => clock.now(),
    newest: () => ({
      notBefore: 0,
      notAfter: Number.MAX_SAFE_INTEGER,
      fingerprint: peer().fingerprint,
    }),
    isUnproven: () => false,
    hasEnded: () => false,
    hasToConfirm: () => false,
    hasRequest: () => false,
    comeBack: notDue,
    confirm: () => Promise.resolve(),
    isAboutCertificate: () => false,
    isInForce: () => false,
    prepare: () => Promise.resolve(),
    renew: notDue,
    store: () => Promise.resolve(),
    forgetPrevious: () => undefined,
    changed: () => sendToUplink(directory, { type: 'certificate.changed' }),
    isRefusal,
    status: () => undefined,
  };
}
