import type { VerifiedCaller } from '../../kernel/authority.js';
import type { PluginStanding } from '../../plugins/standing.js';
import type { SurfaceState } from '../surface/state.js';
import type { DeviceAction, DeviceAlert, HostFacts } from './record.js';
import type { Presence, TrustState } from './view.js';

export type CapabilityStatus = 'available' | 'not_approved' | 'not_enabled' | 'not_offered';

export interface InventoryCapability {
  readonly capability: string;
  readonly digest: string;
  readonly plugin: string;
  readonly pluginVersion: string;
  readonly buildDigest: string;
  /** How the node runs its plugin, as it says. */
  readonly standing?: PluginStanding;
  readonly status: CapabilityStatus;
  /** What operators decided about it on this device. */
  readonly decision: SurfaceState;
}

export interface InventoryEntry {
  readonly deviceId: string;
  readonly name: string;
  readonly trust: TrustState;
  readonly presence: Presence;
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: HostFacts;
  readonly capabilities: readonly InventoryCapability[];
  readonly certificateExpiresAt?: number;
  readonly lastSeenAt?: number;
  readonly connectedSince?: number;
  readonly epoch: number;
  readonly queued: number;
  readonly inFlight: number;
  readonly alerts: readonly DeviceAlert[];
  /** What an operator can do with the device, as far as its state goes. */
  readonly actions: readonly DeviceAction[];
}

export interface InventoryControl {
  /** By name. Without a filter all but those of which only the id is left. */
  list(
    caller: VerifiedCaller,
    filter?: { readonly trust?: readonly TrustState[] },
  ): Promise<readonly InventoryEntry[]>;
}
