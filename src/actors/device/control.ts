import type { VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import { alertsOf } from '../clone/alerts.js';
import { cloneActionsIn } from '../clone/machine.js';
import type { CloneCase } from '../clone/record.js';
import { parseDeviceId } from '../identity/device-id.js';
import { presenceOf } from '../session/presence.js';
import type { Sessions } from '../session/sessions.js';
import type { Devices } from './devices.js';
import type { DeviceDecisionEvent } from './events.js';
import { actionsIn, unknownDevice } from './machine.js';
import type { DeviceRecord } from './record.js';
import { certificateEndOf, isShown, trustOf } from './trust.js';
import type {
  CloneView,
  DecideClone,
  DecideDevice,
  DeviceControl,
  DeviceFilter,
  DeviceView,
} from './view.js';

export interface DevicesControlOptions {
  readonly devices: Devices;
  readonly sessions: Sessions;
  readonly clock: Clock;
}

const defaultLimit = 100;

/** What operators see of devices and do with them. */
export class DevicesControl implements DeviceControl {
  readonly #options: DevicesControlOptions;

  constructor(options: DevicesControlOptions) {
    this.#options = options;
  }

  async list(
    _caller: VerifiedCaller,
    { trust, limit = defaultLimit, cursor = '' }: DeviceFilter,
  ): Promise<{ readonly devices: readonly DeviceView[]; readonly next?: string }> {
    const found = [...this.#options.devices.all()]
      .filter((device) => device.id > cursor)
      .map((device) => this.#view(device))
      .filter((device) => isShown(device.trust, trust))
      .sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
    const devices = found.slice(0, limit);
    const last = devices.at(-1);
    return { devices, ...(last === undefined || found.length <= limit ? {} : { next: last.deviceId }) };
  }

  async get(_caller: VerifiedCaller, id: string): Promise<DeviceView> {
    const device = this.#options.devices.get(parseDeviceId(id));
    if (device) return this.#view(device);
    throw unknownDevice(id);
  }

  async decide(caller: VerifiedCaller, id: string, decision: DecideDevice): Promise<DeviceView> {
    const event = eventOf(caller, decision);
    return this.#view(await this.#options.devices.decide(parseDeviceId(id), event, decision.version));
  }

  async decideClone(caller: VerifiedCaller, id: string, decision: DecideClone): Promise<DeviceView> {
    const { version, ...what } = decision;
    return this.#view(
      await this.#options.devices.decideClone(parseDeviceId(id), { caller, ...what }, version),
    );
  }

  #view(device: DeviceRecord): DeviceView {
    const { sessions, clock } = this.#options;
    const session = sessions.present(device.id);
    const certificateExpiresAt = certificateEndOf(device);
    const lastSeenAt = session?.seenAt ?? device.lastSeenAt;
    return {
      deviceId: device.id,
      version: device.version,
      name: device.name,
      trust: trustOf(device, clock.now()),
      presence: presenceOf(session, clock.monotonic()),
      identityKey: device.identityKey,
      labels: device.labels,
      facts: device.facts,
      certificates: device.certificates.map(({ pending, keySha256: _keySha256, ...certificate }) => ({
        ...certificate,
        pending: pending !== undefined,
      })),
      approvals: device.approvals,
      epoch: device.epoch,
      alerts: alertsOf(device),
      clones: device.clones.map(cloneView),
      ...(device.rotation === undefined ? {} : { rotation: device.rotation }),
      decisions: device.decisions,
      actions: actionsIn(device.state),
      createdAt: device.createdAt,
      updatedAt: device.updatedAt,
      ...(certificateExpiresAt === undefined ? {} : { certificateExpiresAt }),
      ...(lastSeenAt === undefined ? {} : { lastSeenAt }),
      ...(session === undefined ? {} : { connectedSince: session.since }),
    };
  }
}

function eventOf(caller: VerifiedCaller, decision: DecideDevice): DeviceDecisionEvent {
  const common = { caller, reason: decision.reason };
  switch (decision.action) {
    case 'rename':
      return { type: 'rename', ...common, name: decision.name };
    case 'label':
      return { type: 'label', ...common, set: decision.set, remove: decision.remove };
    default:
      return { type: decision.action, ...common };
  }
}

/** A host as operators see it: what it showed stays with the daemon. */
function cloneView({
  tickets: _tickets,
  instance: _instance,
  before: _before,
  ...clone
}: CloneCase): CloneView {
  return { ...clone, actions: cloneActionsIn(clone.state) };
}
