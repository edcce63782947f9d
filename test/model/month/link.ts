import type { Renewals } from '../../../src/actors/device/renewals.js';
import { FrameBatch } from '../../../src/actors/link/batch.js';
import { protocolVersion } from '../../../src/actors/link/frames.js';
import type { Enrolment } from '../../../src/actors/pairing/enrolment.js';
import type { PairingRecord } from '../../../src/actors/pairing/record.js';
import type { Returns } from '../../../src/actors/pairing/returns.js';
import type { NodePeer } from '../../../src/actors/session/sessions.js';
import type { UplinkLink } from '../../../src/actors/uplink/link.js';
import type { Decision } from '../../../src/adapters/grpc/enrollment-client.js';
import { linkError } from '../../../src/adapters/grpc/status.js';
import { toAppError } from '../../../src/kernel/errors.js';
import type { Kernel } from '../../../src/kernel/kernel.js';
import type { Credential } from '../../../src/node/credentials.js';
import type {
  DaemonLink,
  LinkTarget,
  NodePortTarget,
  RenewalCalls,
  ReturnCalls,
} from '../../../src/node/daemon-link.js';
import { type DaemonEnd, Wire } from '../../../src/testing/wire.js';
import { type Fault, faultOfDaemon, faultOfNode, peerOf, refusedByTls } from './handshake.js';
import type { Process } from './process.js';

/** A daemon's two ports. */
export interface DaemonPorts extends DaemonEnd {
  readonly life: Process;
  readonly renewals: Renewals;
  readonly returns: Returns;
  readonly enrolment: Enrolment;
  /** Its own certificate, PEM. */
  certificate(): string;
  /** CA certificates (PEM) of the nodes that it takes, and by which nodes verify it. */
  caCertificates(): readonly string[];
  addresses(): { readonly nodeAddresses: readonly string[]; readonly enrollmentAddresses: readonly string[] };
}

/** A call that is about to reach the daemon, or whose answer is about to reach the node. */
export interface CallStep {
  readonly rpc: 'RenewCertificate' | 'Return' | 'Confirm';
  readonly at: 'request' | 'answer';
}

export interface MemoryLinkOptions {
  readonly life: Process;
  readonly kernel: Kernel;
  /** The daemon that listens at this moment. */
  daemon(): DaemonPorts | undefined;
  opened(wire: Wire): void;
  /** A handshake failed by the certificate of one side. */
  refused(whose: 'daemon' | 'node', fault: Fault): void;
  /** Called around each call. Says whether the connection breaks there; it may let a process die. */
  step(step: CallStep): boolean;
}

/** A node's way to its daemon within one process: what gRPC and TLS do, by the clocks of both sides. */
export class MemoryLink implements DaemonLink {
  readonly #options: MemoryLinkOptions;

  constructor(options: MemoryLinkOptions) {
    this.#options = options;
  }

  openUplink: DaemonLink['openUplink'] = (target, sayings, handlers) => {
    const { life, kernel, opened } = this.#options;
    try {
      const { daemon, peer } = this.#connectAs(target);
      const wire = new Wire(daemon, { life, kernel, peer, ...sayings }, handlers);
      opened(wire);
      return wire.uplink;
    } catch (thrown) {
      setImmediate(() => {
        if (!life.dead) handlers.ended(toAppError(thrown));
      });
      return nothing(target.credential);
    }
  };

  renewals(target: NodePortTarget): RenewalCalls {
    const connection = once(() => this.#connectAs(target));
    return {
      challenge: async () => connection().daemon.renewals.challenge(),
      renew: async (request) => {
        const { daemon, peer } = connection();
        return this.#call('RenewCertificate', daemon, () => daemon.renewals.renew(peer, request));
      },
      close: () => undefined,
    };
  }

  returns(target: LinkTarget): ReturnCalls {
    const connection = once(() => this.#connect(target));
    return {
      challenge: async () => connection().enrolment.challenge(),
      comeBack: async (request, onPending) => {
        const daemon = connection();
        return this.#call('Return', daemon, async () => {
          const asked = { ...request, protocol: protocolVersion };
          const record = await daemon.returns.ask('192.0.2.1', asked);
          if (record.state === 'pending_approval') onPending(record.id);
          return decisionOf(daemon, record);
        });
      },
      confirm: async (request) => {
        const daemon = connection();
        await this.#call('Confirm', daemon, () => daemon.enrolment.confirm(request));
      },
      close: () => undefined,
    };
  }

  /** One call: it, or its answer, may be lost with the connection, and the daemon may die of it. */
  async #call<T>(rpc: CallStep['rpc'], daemon: DaemonPorts, work: () => Promise<T>): Promise<T> {
    const { life, step } = this.#options;
    if (step({ rpc, at: 'request' })) throw lost();
    const gone = new Promise<never>((_resolve, reject) => daemon.life.onDeath(() => reject(lost())));
    gone.catch(() => undefined);
    const answer = await life.during(Promise.race([daemon.life.during(work()), gone]));
    if (step({ rpc, at: 'answer' }) || daemon.life.dead) throw lost();
    return answer;
  }

  /** To the node port, where both sides show a certificate. */
  #connectAs(target: NodePortTarget): { readonly daemon: DaemonPorts; readonly peer: NodePeer } {
    const daemon = this.#connect(target);
    const { certificatePem } = target.credential;
    const fault = faultOfNode(certificatePem, {
      now: daemon.kernel.clock.now(),
      trusts: daemon.caCertificates(),
    });
    if (fault) {
      this.#options.refused('node', fault);
      throw refusedByTls('node', fault);
    }
    return { daemon, peer: peerOf(certificatePem) };
  }

  #connect({ caCertificates }: LinkTarget): DaemonPorts {
    const { kernel, refused, daemon: running } = this.#options;
    const daemon = running();
    if (!daemon) throw linkError('unreachable', 'Nobody listens');
    const fault = faultOfDaemon(daemon.certificate(), { now: kernel.clock.now(), trusts: caCertificates });
    if (!fault) return daemon;
    refused('daemon', fault);
    throw refusedByTls('daemon', fault);
  }
}

function lost() {
  return linkError('unreachable', 'The connection is gone');
}

/** A line that was never one. */
function nothing({ fingerprint }: Credential): UplinkLink {
  const batch: UplinkLink['batch'] = new FrameBatch(
    () => undefined,
    () => 0,
  );
  return { batch, fingerprint, hello: () => undefined, close: () => undefined };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** What the daemon tells a node of its request. Nobody is asked here, so one that is pending stays so. */
function decisionOf(daemon: DaemonPorts, { id, state, certificate = '', decision }: PairingRecord): Decision {
  if (state === 'rejected') return { kind: 'rejected', pairingId: id, reason: decision?.reason ?? '' };
  if (state !== 'approved' && state !== 'completed') return { kind: 'expired', pairingId: id };
  const caCertificates = daemon.caCertificates();
  return { kind: 'approved', pairingId: id, certificate, caCertificates, ...daemon.addresses(), name: '' };
}
