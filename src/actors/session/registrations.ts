import type { Clock } from '../../kernel/clock.js';
import type { AppError } from '../../kernel/errors.js';
import { readAnnouncement } from '../device/announcement.js';
import type { Devices } from '../device/devices.js';
import type { HostFacts, OfferedCapability } from '../device/record.js';
import type { CompiledSurface } from '../device/surface.js';
import { sessionError } from '../errors.js';
import {
  type PluginAnnouncement,
  protocolVersion,
  type Registered,
  type RegisterNode,
} from '../link/frames.js';
import { requireProtocol } from '../pairing/enrolment.js';
import type { RequestedCapability } from '../pairing/record.js';
import { RegistrationBudget } from './registration-budget.js';
import type { NodePeer } from './sessions.js';

export interface RegistrationsOptions {
  readonly devices: Devices;
  readonly clock: Clock;
  readonly surface: CompiledSurface;
}

/** What a host said of itself when it registered. */
export interface Announced {
  readonly epoch: number;
  readonly facts: HostFacts;
  readonly offered: readonly OfferedCapability[];
  /** Those of it that are not approved, with their descriptors. */
  readonly open: readonly RequestedCapability[];
}

/** Bytes of descriptors that are held between registration and Hello, of all devices; beyond that the oldest registers again. */
const mostHeld = 33_554_432;

/** Registration, which comes before each session. */
export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #budget: RegistrationBudget;
  /** What the latest registration of each device announced, until Hello. */
  readonly #latest = new Map<string, Announced & { readonly bytes: number }>();
  #held = 0;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
    this.#budget = new RegistrationBudget(options.clock);
  }

  /**
   * What a device announced when it registered last. Each registration is good for one Hello, so the budget of registrations
   * holds for what Hello costs too.
   *
   * @throws AppError `session.stale_epoch` when that was not for this epoch, was in an earlier life of the daemon, or is used up.
   */
  take(deviceId: string, epoch: number): Announced {
    const latest = this.#latest.get(deviceId);
    if (latest?.epoch !== epoch) throw staleEpoch(epoch);
    this.#drop(deviceId);
    return latest;
  }

  #drop(deviceId: string): void {
    this.#held -= this.#latest.get(deviceId)?.bytes ?? 0;
    this.#latest.delete(deviceId);
  }

  #hold(deviceId: string, announced: Announced, bytes: number): void {
    this.#drop(deviceId);
    this.#held += bytes;
    this.#latest.set(deviceId, { ...announced, bytes });
    for (const oldest of this.#latest.keys()) {
      if (this.#held <= mostHeld || oldest === deviceId) break;
      this.#drop(oldest);
    }
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
    this.#budget.charge(peer.deviceId);
    const requested = readAnnouncement(request.plugins);
    const offered = requested.map(({ descriptor: _descriptor, ...capability }) => capability);
    const device = await devices.update(
      peer.deviceId,
      (current) => {
        devices.authenticate(peer.deviceId, peer.fingerprint);
        return { epoch: current.epoch + 1, lastSeenAt: clock.now() };
      },
      clock.now(),
    );
    // Taken over with Hello: until then another host may be the one with the session.
    const open = requested.filter((one) => surface.state(device, one) !== 'approved');
    const bytes = open.length === 0 ? 0 : bytesOf(request.plugins);
    this.#hold(device.id, { epoch: device.epoch, facts: request.facts, offered, open }, bytes);
    return {
      protocol: protocolVersion,
      epoch: device.epoch,
      name: device.name,
      ...surface.effective(device, offered),
    };
  }
}

function bytesOf(plugins: readonly PluginAnnouncement[]): number {
  return plugins
    .flatMap(({ descriptors }) => descriptors)
    .reduce((bytes, { descriptor }) => bytes + descriptor.length, 0);
}

/** That Hello is not of the latest registration, or not the first one of it. */
export function staleEpoch(epoch: number): AppError {
  return sessionError('stale_epoch', `Epoch ${epoch} is not that of the latest registration, or was used`, {
    hint: 'Register again.',
  });
}
