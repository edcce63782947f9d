import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import type { Directory } from '../../kernel/directory.js';
import type { KernelLog } from '../../kernel/log.js';
import { sendToDispatch, sendToSession, sessionAddress, startMember } from '../addresses.js';
import { digestOfSurface, readAnnouncement } from '../device/announcement.js';
import { afterUse, fulfils } from '../device/certificates.js';
import type { Devices } from '../device/devices.js';
import type { DeviceRecord } from '../device/record.js';
import type { CompiledSurface } from '../device/surface.js';
import { sessionError } from '../errors.js';
import {
  type Hello,
  type NodeResult,
  protocolVersion,
  type Registered,
  type RegisterNode,
} from '../link/frames.js';
import { requireProtocol } from '../pairing/enrolment.js';
import type { SessionInput, SessionLink, SessionPorts } from './machine.js';
import { Outbound } from './outbound.js';
import { heartbeatInterval, type LiveSession } from './presence.js';
import { RegistrationBudget } from './registration-budget.js';

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
  /** The unfinished dispatches of a device, oldest first. */
  unfinished(deviceId: string): readonly string[];
  /** The device of an unfinished dispatch. */
  deviceOf(dispatchId: string): string | undefined;
  /** A result for a dispatch without an actor. */
  late(deviceId: string, result: NodeResult): void;
}

/**
 * Results for dispatches that are not this device's or not under way, in one session. Each costs a look at the disk. After
 * a crash of the daemon a node may have a whole window of them, for each session that ended without an ack.
 */
const maxStrays = 20_000;

/** How long a node may take from the end of one stream to the next, when it has said that it moves, milliseconds. */
const movingLimitMs = 10_000;

/** Registration and opening of sessions, and which are live. The sessions themselves are actors under `sessions`. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #live = new Map<string, LiveSession>();
  readonly #outbound = new Map<string, Outbound>();
  /** Those whose node moves from one stream to the next: it is there, and takes no order at this moment. */
  readonly #moving = new Map<string, LiveSession>();

  readonly #registrations: RegistrationBudget;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#registrations = new RegistrationBudget(options.clock);
  }

  /** The live session of a device: orders can be sent. */
  live(deviceId: string): LiveSession | undefined {
    return this.#live.get(deviceId);
  }

  /** The session by which a device counts as present: the live one, or the one that it is moving from. */
  present(deviceId: string): LiveSession | undefined {
    return this.#live.get(deviceId) ?? this.#moving.get(deviceId);
  }

  /** How many dispatches are at the node. */
  inFlight(deviceId: string): number {
    return this.#outbound.get(deviceId)?.inFlight ?? 0;
  }

  /**
   * Takes what a node says of itself, intersects its offer with what is enabled and approved, and gives it the next epoch.
   *
   * @throws AppError `session.wrong_device` when the message names another device than the certificate,
   *   `session.busy` when it registers too often, `session.revoked`, `session.unknown_certificate`, `session.unknown_device`,
   *   `session.invalid_announcement`, `pairing.unsupported_protocol`.
   */
  async register(peer: NodePeer, request: RegisterNode): Promise<Registered> {
    const { devices, clock, surface } = this.#options;
    requireProtocol(request.protocol);
    if (request.deviceId !== peer.deviceId) {
      throw sessionError('wrong_device', 'The certificate of this connection belongs to another device', {
        fields: [{ field: 'device_id', message: `is not ${peer.deviceId}` }],
      });
    }
    this.#registrations.charge(peer.deviceId);
    const requested = readAnnouncement(request.plugins);
    const offered = requested.map(({ descriptor: _descriptor, ...capability }) => capability);
    const device = await devices.update(
      peer.deviceId,
      (current) => {
        devices.authenticate(peer.deviceId, peer.fingerprint);
        return { facts: request.facts, offered, epoch: current.epoch + 1, lastSeenAt: clock.now() };
      },
      clock.now(),
    );
    const accepted = offered.filter((capability) => surface.status(device, capability) === 'available');
    return {
      protocol: protocolVersion,
      epoch: device.epoch,
      surfaceDigest: digestOfSurface(accepted),
      name: device.name,
      surface: offered.map(({ digest, capability, ...rest }) => {
        const status = surface.status(device, { digest, capability, ...rest });
        return {
          digest,
          capability,
          status: status === 'not_enabled' || status === 'not_approved' ? status : ('accepted' as const),
        };
      }),
    };
  }

  /**
   * Opens the session that Hello asks for: ends the one before, hands out a new ticket, starts the actor.
   *
   * @throws AppError `session.stale_epoch` when Hello is not of the latest registration, `session.stale_ticket` when a node
   *   with another disk state comes while the old stream is alive (protocol.md 17), and as {@link register}.
   */
  async open(peer: NodePeer, hello: Hello, link: SessionLink): Promise<void> {
    const { devices, clock, directory } = this.#options;
    const device = devices.authenticate(peer.deviceId, peer.fingerprint);
    if (hello.epoch !== device.epoch) {
      throw sessionError(
        'stale_epoch',
        `Hello names epoch ${hello.epoch}, the latest registration is ${device.epoch}`,
        {
          hint: 'Register again.',
        },
      );
    }
    const shown = Buffer.from(hello.ticket).toString('base64url');
    const { confirmed, offered } = device.ticket;
    // A device that was never given one here may still hold another daemon's.
    const isFirst = confirmed === undefined && (shown === '' || offered === undefined);
    const isKnown = isFirst || (shown !== '' && (shown === confirmed || shown === offered));
    if (!isKnown) await this.#alarm(device, peer);
    // A ticket that another disk was given proves nothing before a session has settled what the old one had.
    const ticketMatches = isKnown && device.ticket.broken === undefined;
    const ticket = randomBytes(32);
    const updated = await devices.update(
      peer.deviceId,
      (current) => {
        // An operator may have shut it out meanwhile.
        devices.authenticate(peer.deviceId, peer.fingerprint);
        if (current.epoch !== hello.epoch) return undefined;
        return {
          ticket: {
            ...keptTicket(current, shown),
            offered: ticket.toString('base64url'),
            ...(ticketMatches ? {} : { broken: true }),
          },
        };
      },
      clock.now(),
    );
    devices.authenticate(peer.deviceId, peer.fingerprint);
    if (updated.epoch !== hello.epoch)
      throw sessionError('stale_epoch', 'A newer registration came in between');
    const handedOver = hello.handedOver && ticketMatches;
    const reason = 'A newer session of this node took over';
    sendToSession(directory, peer.deviceId, { type: 'end', kind: 'replaced', reason, handedOver });
    this.#start(peer, hello, link, ticket, ticketMatches);
    if (!directory.has(sessionAddress(peer.deviceId))) {
      throw sessionError('protocol', 'The session could not be started', {
        hint: 'See the log of the daemon.',
      });
    }
  }

  /** Ends the session of a device, if it has one. */
  end(deviceId: string, kind: 'replaced' | 'revoked', reason: string): void {
    this.#arrived(deviceId);
    sendToSession(this.#options.directory, deviceId, { type: 'end', kind, reason });
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
      heartbeatMs,
      since: clock.now(),
      seenAt: clock.now(),
      seenMonotonic: clock.monotonic(),
    };
    const outbound = new Outbound(this.#options.window, (order) => {
      link.batch.push('dispatches', order);
      sendToDispatch(directory, order.dispatchId, { type: 'delivered', at: clock.now() });
    });
    let strays = 0;
    const ports: SessionPorts = {
      directory,
      deadlines,
      clock,
      unfinished: () => this.#options.unfinished(peer.deviceId),
      owns: (dispatchId) => this.#options.deviceOf(dispatchId) === peer.deviceId,
      live: () => this.#becomeLive(session, outbound, ticket),
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
    link.batch.set('welcome', { ticket, heartbeatMs, window: this.#options.window, settled: [] });
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
    this.#update(session.deviceId, (current) => {
      const certificates = afterUse(current.certificates, session.fingerprint);
      const isConfirmed = current.ticket.offered === confirmed;
      if (!isConfirmed && !certificates) return undefined;
      return {
        ...(isConfirmed ? { ticket: { confirmed }, lastSeenAt: session.seenAt } : {}),
        ...(certificates ? { certificates } : {}),
        ...(fulfils(current, session.fingerprint) ? { rotation: undefined } : {}),
      };
    });
    this.#options.log.info({ device: session.deviceId, epoch: session.epoch }, 'Node connected');
  }

  #ended(session: LiveSession, reason: string, handedOver: boolean): void {
    if (this.#live.get(session.deviceId) === session) {
      if (handedOver) this.#expect(session);
      this.#live.delete(session.deviceId);
      this.#outbound.delete(session.deviceId);
    }
    this.#update(session.deviceId, () => ({ lastSeenAt: session.seenAt }));
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
  #update(deviceId: string, change: (device: DeviceRecord) => Partial<DeviceRecord> | undefined): void {
    this.#options.devices.update(deviceId, change, this.#options.clock.now()).catch((err: unknown) => {
      this.#options.log.warn({ err, device: deviceId }, 'A device record could not be updated');
    });
  }

  async #alarm(device: DeviceRecord, peer: NodePeer): Promise<void> {
    const { devices, clock, log } = this.#options;
    const now = clock.now();
    const message = `A node with this identity came from ${peer.address} with another state on disk: a clone or a restored copy`;
    log.warn({ device: device.id, address: peer.address }, message);
    await devices.alert(device.id, { code: 'stale_ticket', at: now, message });
    // What the newcomer says of a hand-over counts for nothing: the old stream would have announced it.
    if (this.#live.has(device.id)) {
      throw sessionError('stale_ticket', 'Another host with this identity is connected', {
        hint: 'Stop one of the two. If this one is a copy of the other, pair it as a machine of its own.',
      });
    }
  }
}

/** What stays valid beside a newly offered ticket: the one that the node has just shown. */
function keptTicket(device: DeviceRecord, shown: string): { readonly confirmed?: string } {
  if (shown !== '' && shown === device.ticket.offered) return { confirmed: shown };
  return device.ticket.confirmed === undefined ? {} : { confirmed: device.ticket.confirmed };
}
