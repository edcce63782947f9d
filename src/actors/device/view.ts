import type { VerifiedCaller } from '../../kernel/authority.js';
import type { CloneAction, CloneCase } from '../clone/record.js';
import type { LabelChange } from './labels.js';
import type {
  DeviceAction,
  DeviceAlert,
  DeviceCertificate,
  DeviceDecision,
  DeviceState,
  HostFacts,
  RotationOrder,
  SurfaceApproval,
} from './record.js';

export type Presence = 'online' | 'late' | 'offline';

export type TrustState = 'pending' | 'expired' | DeviceState;

/** A certificate of a device. `pending`: issued and not used yet; the one before stays valid until it is. */
export interface ShownCertificate extends Omit<DeviceCertificate, 'pending' | 'keySha256'> {
  readonly pending: boolean;
}

/** One device with all that an operator can know of it. Times are milliseconds since the epoch. */
export interface DeviceView {
  readonly deviceId: string;
  readonly version: number;
  readonly name: string;
  readonly trust: Exclude<TrustState, 'pending'>;
  readonly presence: Presence;
  readonly identityKey: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: HostFacts;
  readonly certificates: readonly ShownCertificate[];
  readonly approvals: readonly SurfaceApproval[];
  /** Grows with each session. */
  readonly epoch: number;
  /** It is to have a new certificate, and has not used one yet that was issued since. */
  readonly rotation?: RotationOrder;
  readonly alerts: readonly DeviceAlert[];
  /** The latest; the journal has them all. */
  readonly decisions: readonly DeviceDecision[];
  /** Other hosts that came with its identity, the latest last. */
  readonly clones: readonly CloneView[];
  /** What an operator can do with it, as far as its state goes. */
  readonly actions: readonly DeviceAction[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly certificateExpiresAt?: number;
  readonly lastSeenAt?: number;
  readonly connectedSince?: number;
}

export interface DeviceFilter {
  /** Default: all but those of which only the id is left. */
  readonly trust?: readonly DeviceView['trust'][];
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly cursor?: string;
}

/** A host that came with a device's identity and is not the host that the daemon knew. */
export interface CloneView extends Omit<CloneCase, 'tickets' | 'given' | 'instance' | 'before'> {
  /** What an operator can decide about it in its state. */
  readonly actions: readonly CloneAction[];
}

/** What an operator decides about a host that came with a device's identity. */
export interface DecideClone {
  /** `replace`: it becomes the device. `reject`: it stays out. `allow`: it is let in once, and nobody is turned away. */
  readonly action: CloneAction;
  readonly reason: string;
  /** The case; left out when one host waits for a decision. */
  readonly clone?: string;
  /** The version of the device as the operator saw it; left out when any will do. */
  readonly version?: number;
}

/** What an operator decides about a device. */
export type DecideDevice = {
  readonly reason: string;
  /** The version of the device as the operator saw it; left out when any will do. */
  readonly version?: number;
} & (
  | { readonly action: 'rename'; readonly name: string }
  | ({ readonly action: 'label' } & LabelChange)
  | { readonly action: 'rotate' | 'revoke' | 'remove' | 'ban' | 'lift' }
);

export interface DeviceControl {
  /** In the order of their ids. */
  list(
    caller: VerifiedCaller,
    filter: DeviceFilter,
  ): Promise<{ readonly devices: readonly DeviceView[]; readonly next?: string }>;
  /** @throws AppError `identity.invalid_device_id`, `device.not_found`. */
  get(caller: VerifiedCaller, id: string): Promise<DeviceView>;
  /**
   * Gives a device another name or other labels (what is granted by label counts by them at once), has it renew its certificate (at once, or when it is back), or shuts it out, or takes a bar off again. A session and work that it has end at once.
   *
   * @throws AppError `device.forbidden`, `device.not_found` (a ban may come before the device), `device.not_possible`,
   *   `device.changed` when it is at another version than the decision names, `device.name_taken`, `device.bad_labels`, `revocations.unwritable`.
   */
  decide(caller: VerifiedCaller, id: string, decision: DecideDevice): Promise<DeviceView>;
  /**
   * Says which of several hosts with one identity is the device.
   *
   * @throws AppError `device.forbidden`, `device.not_found`, `device.no_clone`, `device.ambiguous_clone`,
   *   `device.not_possible`, `device.changed`.
   */
  decideClone(caller: VerifiedCaller, id: string, decision: DecideClone): Promise<DeviceView>;
}
