import { randomBytes } from 'node:crypto';
import type { HostFacts } from '../../src/actors/device/record.js';
import type {
  DaemonFrame,
  DispatchOrder,
  EffectiveSurface,
  InFlight,
  NodeResult,
  PluginAnnouncement,
} from '../../src/actors/link/frames.js';
import { protocolVersion } from '../../src/actors/link/frames.js';
import type { UplinkLink } from '../../src/actors/uplink/link.js';
import { pinnedChannelOptions, pinnedCredentials } from '../../src/adapters/grpc/pinned-channel.js';
import { openUplink } from '../../src/adapters/grpc/uplink-link.js';
import { systemClock } from '../../src/kernel/clock.js';
import type { AppError } from '../../src/kernel/errors.js';
import { hostFacts } from '../../src/node/host-facts.js';
import { bundledAnnouncement, type EnrolledDevice, type LocalDaemon } from './local-daemon.js';

/** A node that speaks the real protocol and does just what its test says. */
export class RawNode {
  readonly orders: DispatchOrder[] = [];
  readonly settled: string[] = [];
  readonly cancels: string[] = [];
  /** What it was told on its stream that it may run. */
  readonly surfaces: EffectiveSurface[] = [];
  ticket: Uint8Array = new Uint8Array(0);
  ended: AppError | undefined;
  isLive = false;
  /** Without it, it is like a host whose line is dead and whose end the daemon has not heard of. */
  answersPings = true;
  isOver = false;
  #link: UplinkLink | undefined;

  /** Connects, registers, says Hello and Ready. */
  static async connect(
    local: LocalDaemon,
    { identity, membership }: EnrolledDevice,
    {
      ticket = new Uint8Array(0),
      inFlight = [],
      instance = randomBytes(16),
      plugins: offered,
      facts = hostFacts(),
      address = local.daemon.addresses.node,
    }: {
      ticket?: Uint8Array;
      inFlight?: readonly InFlight[];
      instance?: Uint8Array;
      plugins?: readonly PluginAnnouncement[];
      facts?: HostFacts;
      /** Where it believes the daemon to be. */
      address?: string;
    } = {},
  ): Promise<RawNode> {
    const node = new RawNode();
    const plugins = offered ?? (await bundledAnnouncement());
    await new Promise<void>((resolve) => {
      node.#link = openUplink(
        {
          address,
          credentials: pinnedCredentials({
            caCertificates: membership.caCertificates,
            clientCert: { certificatePem: membership.certificate, privateKey: identity.tlsKey },
          }),
          options: pinnedChannelOptions,
          fingerprint: '',
          clock: systemClock,
          register: () => ({
            protocol: protocolVersion,
            deviceId: identity.deviceId,
            facts,
            plugins,
            clockMs: Date.now(),
          }),
          hello: (epoch, surfaceDigest) => ({ epoch, surfaceDigest, ticket, inFlight, instance }),
        },
        {
          registered: () => node.#link?.hello(false),
          frame: (frame) => {
            node.#take(frame);
            if (node.isLive) resolve();
          },
          ended: (error) => {
            node.isOver = true;
            node.ended = error;
            resolve();
          },
        },
      );
    });
    return node;
  }

  /** Sends a result for any dispatch id. */
  answer(result: Partial<NodeResult> & { readonly dispatchId: string }): void {
    this.#link?.batch.push('results', {
      outcome: 'succeeded',
      reason: '',
      output: Buffer.from('null'),
      durationMs: 1,
      started: true,
      ...result,
    });
  }

  started(dispatchId: string): void {
    this.#link?.batch.push('started', dispatchId);
  }

  progress(dispatchId: string, sequence: number, value: string): void {
    this.#link?.batch.push('progress', { dispatchId, sequence, value: Buffer.from(value) });
  }

  heartbeat(): void {
    this.#link?.batch.set('heartbeat', { inFlight: 0 });
  }

  close(): void {
    this.#link?.close();
  }

  #take(frame: DaemonFrame): void {
    if (frame.welcome) {
      this.ticket = frame.welcome.ticket;
      this.#link?.batch.set('ready', true);
    } else if (!frame.goodbye) {
      this.isLive = true;
    }
    if (frame.ping && this.answersPings) this.#link?.batch.set('pong', frame.ping);
    this.orders.push(...(frame.dispatches ?? []));
    if (frame.surface) this.surfaces.push(frame.surface);
    this.settled.push(...(frame.settled ?? []));
    this.cancels.push(...(frame.cancels ?? []).map((order) => order.dispatchId));
  }
}
