import { randomBytes } from 'node:crypto';
import type { HostFacts } from '../../src/actors/device/record.js';
import {
  type DaemonFrame,
  type DispatchOrder,
  type NodeResult,
  type PluginAnnouncement,
  protocolVersion,
  type Welcome,
} from '../../src/actors/link/frames.js';
import type { UplinkLink } from '../../src/actors/uplink/link.js';
import { pinnedChannelOptions, pinnedCredentials } from '../../src/adapters/grpc/pinned-channel.js';
import { openUplink } from '../../src/adapters/grpc/uplink-link.js';
import { type Clock, systemClock } from '../../src/kernel/clock.js';
import type { Deadlines } from '../../src/kernel/deadlines.js';
import type { EnrolledNode } from './enrolment.js';

/** How a simulated node answers an order. Called as soon as the order is there. */
export type Responder = (order: DispatchOrder, answer: (result: NodeResult) => void) => void;

export interface SimulatedNodeOptions {
  readonly node: EnrolledNode;
  readonly plugins: readonly PluginAnnouncement[];
  readonly facts: HostFacts;
  /** One for all nodes of a process: their heartbeats share its one timer. */
  readonly deadlines: Deadlines;
  readonly respond: Responder;
  readonly clock?: Clock;
  /** The stream ended after it was live. It does not reconnect by itself. */
  onEnded?(error: unknown): void;
}

const nothing = new Uint8Array(0);

/** Answers with the input, unlooked at: what `echo` would return. */
export const echoResponder: Responder = ({ dispatchId, input }, answer) =>
  answer({ dispatchId, outcome: 'succeeded', reason: '', output: input, durationMs: 0, started: true });

/**
 * A node that speaks the real protocol over its own mTLS connection and does nothing else: it registers, says Hello and
 * Ready, beats, answers orders, keeps each result until the daemon has settled it and names it in the next Hello. It checks
 * no schema and runs no plugin, and its ticket is in memory only.
 *
 * @example
 * const node = new SimulatedNode({ node: enrolled, plugins, facts, deadlines, respond: echoResponder });
 * await node.connect();
 * node.close();
 */
export class SimulatedNode {
  readonly #options: SimulatedNodeOptions;
  readonly #clock: Clock;
  readonly #unsettled = new Map<string, NodeResult>();
  readonly #instance = randomBytes(16);
  #ticket: Uint8Array = nothing;
  #link: UplinkLink | undefined;

  constructor(options: SimulatedNodeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get deviceId(): string {
    return this.#options.node.deviceId;
  }

  /** Results that the daemon has not settled. */
  get unsettled(): number {
    return this.#unsettled.size;
  }

  /** Connects, registers and opens a session; resolves when Ready is said. Also after the stream ended. @throws AppError why it ended. */
  connect(): Promise<void> {
    const { node, plugins, facts } = this.#options;
    const [address = ''] = node.nodeAddresses;
    return new Promise((resolve, reject) => {
      let live = false;
      const link = openUplink(
        {
          address,
          credentials: pinnedCredentials({
            caCertificates: [node.ca.caPem],
            clientCert: { certificatePem: node.certificatePem, privateKey: node.tlsKey },
          }),
          options: pinnedChannelOptions,
          fingerprint: '',
          clock: this.#clock,
          register: () => ({
            protocol: protocolVersion,
            deviceId: node.deviceId,
            facts,
            plugins,
            clockMs: this.#clock.now(),
          }),
          hello: (epoch, surfaceDigest) => ({
            epoch,
            surfaceDigest,
            ticket: this.#ticket,
            instance: this.#instance,
            inFlight: [...this.#unsettled.keys()].map((dispatchId) => ({ dispatchId, phase: 'finished' })),
          }),
        },
        {
          registered: () => link.hello(false),
          frame: (frame) => {
            if (frame.welcome) {
              this.#welcome(link, frame.welcome);
              live = true;
              resolve();
            }
            this.#take(link, frame);
          },
          ended: (error) => {
            this.#forget(link);
            if (live) this.#options.onEnded?.(error);
            else reject(error ?? new Error('The stream ended before Welcome'));
          },
        },
      );
      this.#link = link;
    });
  }

  /** Says goodbye and ends the stream. */
  close(): void {
    const link = this.#link;
    if (!link) return;
    link.batch.set('goodbye', { reason: 'The simulation has ended', handingOver: false });
    this.#forget(link);
    link.close();
  }

  #welcome(link: UplinkLink, welcome: Welcome): void {
    this.#ticket = welcome.ticket;
    link.batch.set('ready', true);
    for (const result of this.#unsettled.values()) link.batch.push('results', result);
    this.#beatLater(link, welcome.heartbeatMs);
  }

  #beatLater(link: UplinkLink, heartbeatMs: number): void {
    const delay = heartbeatMs * (0.8 + 0.2 * Math.random());
    this.#options.deadlines.set(link, delay, () => {
      link.batch.set('heartbeat', { inFlight: 0 });
      this.#beatLater(link, heartbeatMs);
    });
  }

  #take(link: UplinkLink, frame: DaemonFrame): void {
    for (const id of [...(frame.welcome?.settled ?? []), ...(frame.settled ?? [])])
      this.#unsettled.delete(id);
    for (const order of frame.dispatches ?? []) this.#run(link, order);
    for (const { dispatchId } of frame.cancels ?? []) {
      const outcome = this.#unsettled.has(dispatchId) ? 'already_finished' : 'not_known';
      link.batch.push('cancelOutcomes', { dispatchId, outcome });
    }
  }

  #run(link: UplinkLink, order: DispatchOrder): void {
    const known = this.#unsettled.get(order.dispatchId);
    if (known) {
      link.batch.push('results', known);
      return;
    }
    this.#options.respond(order, (result) => {
      this.#unsettled.set(result.dispatchId, result);
      this.#link?.batch.push('results', result);
    });
  }

  #forget(link: UplinkLink): void {
    this.#options.deadlines.release(link);
    if (this.#link === link) this.#link = undefined;
  }
}
