import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import type { KernelLog } from '../../kernel/log.js';
import { sendToDispatch, sendToSession, sessionAddress, startMember } from '../addresses.js';
import { judgeArrival } from '../clone/arrival.js';
import type { CloneCase } from '../clone/record.js';
import { afterUse, fulfils } from '../device/certificates.js';
import type { Devices } from '../device/devices.js';
import type { DeviceRecord } from '../device/record.js';
import type { CompiledSurface } from '../device/surface.js';
import { sessionError } from '../errors.js';
import type { Hello, NodeProgress, NodeResult, Registered, RegisterNode } from '../link/frames.js';
import type { RequestedCapability } from '../pairing/record.js';
import type { SessionInput, SessionLink, SessionPorts } from './machine.js';
import { type Credit, type Load, Outbound } from './outbound.js';
import { Pings } from './pings.js';
import { heartbeatInterval, type LiveSession } from './presence.js';
import { type Announced, Registrations, staleEpoch } from './registrations.js';

/** Who is at the other end of a connection, as TLS proved it. Times are milliseconds since the epoch. */
export interface NodePeer {
  readonly deviceId: string;
  readonly fingerprint: string;
  readonly certificateEnds: number;
  readonly address: string;
}

export interface SessionsOptions {
  readonly directory: Directory;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly log: KernelLog;
  readonly devices: Devices;
  readonly surface: CompiledSurface;
  /** The interval of heartbeats of a small fleet, and the longest of a large one, milliseconds. */
  readonly heartbeatMs: number;
  readonly heartbeatMaxMs: number;
  /** Unfinished dispatches at a node at a time. */
  readonly window: number;
  /** Runs at a time of one capability on one node, by its descriptor. */
  concurrencyOf: Credit['concurrencyOf'];
  /** What an unfinished dispatch asks for. */
  capabilityOf(dispatchId: string): string | undefined;
  /** A device uses a certificate for the first time. */
  certificateUsed?(deviceId: string): void;
  /** The unfinished dispatches of a device, oldest first. */
  unfinished(deviceId: string): readonly string[];
  /** The device of an unfinished dispatch. */
  deviceOf(dispatchId: string): string | undefined;
  /** What a node says of a handler that runs. */
  progress(deviceId: string, progress: NodeProgress): void;
  /** A result for a dispatch without an actor. */
  late(deviceId: string, result: NodeResult): void;
  /** What a device with a new session offers that is not approved. */
  announced(deviceId: string, open: readonly RequestedCapability[]): void;
}

/**
 * Results for dispatches that are not this device's or not under way, in one session. Each costs a look at the disk. After
 * a crash of the daemon a node may have a whole window of them, for each session that ended without an ack.
 */
const maxStrays = 20_000;

/** Bytes of inputs at a node at a time. */
const windowBytes = 16 * 1024 * 1024;

/** How long a node may take from the end of one stream to the next, when it has said that it moves, milliseconds. */
const movingLimitMs = 10_000;

/** A host that says Hello. */
interface Opening {
  readonly peer: NodePeer;
  readonly hello: Hello;
  readonly registered: Announced;
  /** The host of the session that the device has answers. */
  readonly otherAnswers: boolean;
  /** The ticket that it gets if it gets a session. */
  readonly given: Buffer;
}

/** Opening of sessions, and which are live. The sessions themselves are actors under `sessions`. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #live = new Map<string, LiveSession>();
  readonly #outbound = new Map<string, Outbound>();
  /** Those whose node moves from one stream to the next: it is there, and takes no order at this moment. */
  readonly #moving = new Map<string, LiveSession>();

  readonly #registrations: Registrations;
  readonly #pings: Pings;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#registrations = new Registrations(options);
    this.#pings = new Pings(options.deadlines, (deviceId, number) =>
      sendToSession(options.directory, deviceId, { type: 'ping', number }),
    );
  }

  /** The live session of a device: orders can be sent. */
  live(deviceId: string): LiveSession | undefined {
    return this.#live.get(deviceId);
  }

  /** The session by which a device counts as present: the live one, or the one that it is moving from. */
  present(deviceId: string): LiveSession | undefined {
    return this.#live.get(deviceId) ?? this.#moving.get(deviceId);
  }

  /** Whether a further dispatch would go out to the node at once. */
  hasRoom(deviceId: string, load: Load): boolean {
    return this.#outbound.get(deviceId)?.hasRoom(load) ?? false;
  }

  /** How many dispatches are at the node. */
  inFlight(deviceId: string): number {
    return this.#outbound.get(deviceId)?.inFlight ?? 0;
  }

  /** Takes what a host says of itself; see {@link Registrations.register}. */
  register(peer: NodePeer, request: RegisterNode): Promise<Registered> {
    return this.#registrations.register(peer, request);
  }

  /**
   * Opens the session that Hello asks for: ends the one before, hands out a new ticket, starts the actor.
   *
   * @throws AppError `session.stale_epoch` when Hello is not of the latest registration, `session.clone_waiting` when another
   *   host with this identity answers (protocol.md 17), `session.clone_rejected` when an operator turned this one away, and
   *   as {@link Registrations.register}.
   */
  async open(peer: NodePeer, hello: Hello, link: SessionLink): Promise<void> {
    const { devices, clock, directory } = this.#options;
    const device = devices.authenticate(peer.deviceId, peer.fingerprint);
    const registered = this.#registrations.take(device.id, hello.epoch);
    const otherAnswers = this.#live.has(device.id) && (await this.#pings.answers(device.id));
    const given = randomBytes(32);
    const { result: verdict } = await devices.change(
      peer.deviceId,
      (current) => this.#judge(current, { peer, hello, registered, otherAnswers, given }),
      clock.now(),
    );
    // An operator may have shut it out while that was written.
    devices.authenticate(peer.deviceId, peer.fingerprint);
    if (verdict.alarm) this.#alarm(peer, verdict.alarm);
    if (verdict.refusal) throw verdict.refusal;
    const { ticketMatches } = verdict;
    const handedOver = hello.handedOver && ticketMatches;
    const reason = 'A newer session of this node took over';
    sendToSession(directory, peer.deviceId, { type: 'end', kind: 'replaced', reason, handedOver });
    this.#options.announced(peer.deviceId, registered.open);
    this.#start(peer, hello, link, given, ticketMatches);
    if (!directory.has(sessionAddress(peer.deviceId))) {
      throw sessionError('protocol', 'The session could not be started', {
        hint: 'See the log of the daemon.',
      });
    }
  }

  /** Ends the session of a device, if it has one. */
  end(deviceId: string, kind: 'replaced' | 'revoked' | 'reconnect', reason: string): void {
    this.#arrived(deviceId);
    sendToSession(this.#options.directory, deviceId, { type: 'end', kind, reason });
  }

  /** Tells the node of a device what may run on it by now, if it is connected. One that comes later learns it then. */
  tellSurface(deviceId: string): void {
    const { devices, surface, directory } = this.#options;
    const device = devices.get(deviceId);
    if (device === undefined || !this.#live.has(deviceId)) return;
    sendToSession(directory, deviceId, { type: 'surface', surface: surface.effective(device) });
  }

  /** As {@link tellSurface}, for every node that is connected. */
  tellSurfaces(): void {
    for (const deviceId of this.#live.keys()) this.tellSurface(deviceId);
  }

  /** Tells the node of a device to renew its certificate. One that is not connected is told when its next session is live. */
  renew(deviceId: string, reason: string): void {
    sendToSession(this.#options.directory, deviceId, { type: 'renew', reason });
  }

  /** The actor of a session crashed: its stream ends, and what it carried waits for the next one. */
  abandon(deviceId: string): void {
    const session = this.#live.get(deviceId);
    if (!session) return;
    const unfinished = this.#outbound.get(deviceId)?.unfinished() ?? [];
    this.#ended(session, 'crashed', false);
    for (const id of unfinished) sendToDispatch(this.#options.directory, id, { type: 'session.lost' });
  }

  #start(peer: NodePeer, hello: Hello, link: SessionLink, ticket: Buffer, ticketMatches: boolean): void {
    const { directory, clock, deadlines } = this.#options;
    const heartbeatMs = heartbeatInterval(
      this.#options.heartbeatMs,
      this.#options.heartbeatMaxMs,
      this.#live.size,
    );
    const session: LiveSession = {
      deviceId: peer.deviceId,
      fingerprint: peer.fingerprint,
      epoch: hello.epoch,
      instance: Buffer.from(hello.instance).toString('hex'),
      heartbeatMs,
      since: clock.now(),
      seenAt: clock.now(),
      seenMonotonic: clock.monotonic(),
    };
    const { window, concurrencyOf } = this.#options;
    const outbound = new Outbound({ window, bytes: windowBytes, concurrencyOf }, (order) => {
      link.batch.push('dispatches', order);
      sendToDispatch(directory, order.dispatchId, { type: 'delivered', at: clock.now() });
    });
    let strays = 0;
    const ports: SessionPorts = {
      directory,
      deadlines,
      clock,
      unfinished: () => this.#options.unfinished(peer.deviceId),
      capabilityOf: (dispatchId) => this.#options.capabilityOf(dispatchId),
      owns: (dispatchId) => this.#options.deviceOf(dispatchId) === peer.deviceId,
      live: () => this.#becomeLive(session, outbound, ticket),
      pong: (number) => this.#pings.pong(peer.deviceId, number),
      progress: (progress) => this.#options.progress(peer.deviceId, progress),
      late: (result) => {
        strays += 1;
        if (strays <= maxStrays) this.#options.late(peer.deviceId, result);
        else if (strays === maxStrays + 1) {
          const reason = 'Too many results for dispatches that are not under way';
          sendToSession(directory, peer.deviceId, { type: 'end', kind: 'protocol_error', reason });
        }
      },
      ended: (reason, handedOver) => this.#ended(session, reason, handedOver),
    };
    const input: SessionInput = {
      ports,
      link,
      outbound,
      session,
      hello,
      ticketMatches,
      certificateEnds: peer.certificateEnds,
    };
    startMember(directory, 'sessions', peer.deviceId, input);
    link.batch.set('welcome', { ticket, heartbeatMs, window, settled: [] });
  }

  #becomeLive(session: LiveSession, outbound: Outbound, ticket: Buffer): void {
    this.#arrived(session.deviceId);
    this.#live.set(session.deviceId, session);
    this.#outbound.set(session.deviceId, outbound);
    const device = this.#options.devices.get(session.deviceId);
    if (device?.rotation && !fulfils(device, session.fingerprint)) {
      this.renew(session.deviceId, device.rotation.reason);
    }
    const confirmed = ticket.toString('base64url');
    const noted = this.#update(session.deviceId, (current) => {
      const certificates = afterUse(current.certificates, session.fingerprint);
      const isConfirmed = current.ticket.offered === confirmed;
      if (!isConfirmed && !certificates) return undefined;
      return {
        ...(isConfirmed
          ? { ticket: { confirmed, holder: session.instance }, lastSeenAt: session.seenAt }
          : {}),
        ...(certificates ? { certificates } : {}),
        ...(fulfils(current, session.fingerprint) ? { rotation: undefined } : {}),
      };
    });
    void noted.then(() => this.#options.certificateUsed?.(session.deviceId));
    this.#options.log.info({ device: session.deviceId, epoch: session.epoch }, 'Node connected');
  }

  #ended(session: LiveSession, reason: string, handedOver: boolean): void {
    if (this.#live.get(session.deviceId) === session) {
      if (handedOver) this.#expect(session);
      this.#pings.ended(session.deviceId);
      this.#live.delete(session.deviceId);
      this.#outbound.delete(session.deviceId);
    }
    void this.#update(session.deviceId, () => ({ lastSeenAt: session.seenAt }));
    this.#options.log.info({ device: session.deviceId, epoch: session.epoch, reason }, 'Node disconnected');
  }

  /** The node is on its way from one stream to the next: for a moment it counts as present without a session. */
  #expect(session: LiveSession): void {
    const { deadlines } = this.#options;
    this.#arrived(session.deviceId);
    this.#moving.set(session.deviceId, session);
    deadlines.set(session, movingLimitMs, () => this.#moving.delete(session.deviceId), {
      label: 'hand-over',
    });
  }

  #arrived(deviceId: string): void {
    const session = this.#moving.get(deviceId);
    if (!session) return;
    this.#moving.delete(deviceId);
    this.#options.deadlines.release(session);
  }

  /** A change that nobody waits for; the store itself reports a disk that fails. */
  async #update(
    deviceId: string,
    change: (device: DeviceRecord) => Partial<DeviceRecord> | undefined,
  ): Promise<void> {
    const { devices, clock, log } = this.#options;
    await devices.update(deviceId, change, clock.now()).catch((err: unknown) => {
      log.warn({ err, device: deviceId }, 'A device record could not be updated');
    });
  }

  /** What becomes of a host that says Hello, as the device's record is when that is written. */
  #judge(device: DeviceRecord, { peer, hello, registered, otherAnswers, given }: Opening) {
    const { devices, clock } = this.#options;
    devices.authenticate(peer.deviceId, peer.fingerprint);
    if (hello.epoch !== device.epoch) throw staleEpoch(hello.epoch);
    const { facts, offered } = registered;
    const newcomer = {
      ticket: Buffer.from(hello.ticket).toString('base64url'),
      instance: Buffer.from(hello.instance).toString('hex'),
      address: peer.address,
      hostname: facts.hostname,
    };
    const result = judgeArrival(device, newcomer, otherAnswers, given.toString('base64url'), clock.now());
    const { clones, ticket, refusal, cause } = result;
    // Who gets no session changes nothing of the device but what is known of him.
    const patch = refusal ? { clones } : { clones, ticket, facts, offered };
    return { patch, cause, result };
  }

  #alarm(peer: NodePeer, clone: CloneCase): void {
    const { id, state, hostname, address, kind } = clone;
    this.#options.log.warn(
      { device: peer.deviceId, clone: id, state, kind, hostname, address },
      'Another host came with the identity of a device: a clone or a restored copy',
    );
  }
}
