import type { VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import { alertsOf } from '../clone/alerts.js';
import type { LiveDispatches } from '../dispatch/live.js';
import type { Pairings } from '../pairing/pairings.js';
import type { PairingRecord } from '../pairing/record.js';
import { presenceOf } from '../session/presence.js';
import type { Sessions } from '../session/sessions.js';
import type { Devices } from './devices.js';
import type { InventoryCapability, InventoryControl, InventoryEntry } from './inventory-view.js';
import { actionsIn } from './machine.js';
import type { DeviceRecord } from './record.js';
import type { CompiledSurface } from './surface.js';
import { certificateEndOf, isShown, trustOf } from './trust.js';
import type { TrustState } from './view.js';

export interface InventoryOptions {
  readonly devices: Devices;
  readonly pairings: Pairings;
  readonly sessions: Sessions;
  readonly surface: CompiledSurface;
  readonly live: LiveDispatches;
  readonly clock: Clock;
}

/** Every device that is known or asks to be: whether it is trusted, whether it is there, and what may be called on it. */
export class Inventory implements InventoryControl {
  readonly #options: InventoryOptions;

  constructor(options: InventoryOptions) {
    this.#options = options;
  }

  async list(
    _caller: VerifiedCaller,
    filter: { readonly trust?: readonly TrustState[] } = {},
  ): Promise<readonly InventoryEntry[]> {
    const { devices, pairings } = this.#options;
    const known = [...devices.all()].map((device) => this.#known(device));
    const asking = pairings
      .open()
      .filter(({ state, deviceId }) => state === 'pending_approval' && isNew(devices.get(deviceId)))
      .map(pendingEntry);
    return [...known, ...asking]
      .filter((entry) => isShown(entry.trust, filter.trust))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  #known(device: DeviceRecord): InventoryEntry {
    const { sessions, live, clock } = this.#options;
    const session = sessions.present(device.id);
    const inFlight = sessions.inFlight(device.id);
    const certificateExpiresAt = certificateEndOf(device);
    const lastSeenAt = session?.seenAt ?? device.lastSeenAt;
    return {
      deviceId: device.id,
      name: device.name,
      trust: trustOf(device, clock.now()),
      presence: presenceOf(session, clock.monotonic()),
      labels: device.labels,
      facts: device.facts,
      capabilities: this.#capabilities(device),
      epoch: device.epoch,
      queued: Math.max(0, live.countOf(device.id) - inFlight),
      inFlight,
      alerts: alertsOf(device),
      actions: actionsIn(device.state),
      ...(certificateExpiresAt === undefined ? {} : { certificateExpiresAt }),
      ...(lastSeenAt === undefined ? {} : { lastSeenAt }),
      ...(session === undefined ? {} : { connectedSince: session.since }),
    };
  }

  #capabilities(device: DeviceRecord): readonly InventoryCapability[] {
    return device.offered.map((offered) => ({
      ...offered,
      status: this.#options.surface.status(device, offered),
      decision: this.#options.surface.state(device, offered),
    }));
  }
}

/** Whether a request to join is the first that is to be seen of a device. */
function isNew(device: DeviceRecord | undefined): boolean {
  return device === undefined || device.state === 'lifted';
}

function pendingEntry(pairing: PairingRecord): InventoryEntry {
  return {
    deviceId: pairing.deviceId,
    name: pairing.proposedName,
    trust: 'pending',
    presence: 'offline',
    labels: pairing.labels,
    facts: pairing.facts,
    capabilities: pairing.requested.map(({ descriptor: _descriptor, ...capability }) => ({
      ...capability,
      status: 'not_approved',
      decision: 'pending',
    })),
    epoch: 0,
    queued: 0,
    inFlight: 0,
    alerts: [],
    actions: [],
  };
}
