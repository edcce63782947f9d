import type { VerifiedCaller } from '../../kernel/authority.js';
import type { ErrorEnvelope } from '../../kernel/errors.js';
import type { Descriptor } from '../../plugins/descriptor.js';
import type { DescriptorDifference } from '../../plugins/descriptor-difference.js';
import type { PluginStanding } from '../../plugins/standing.js';
import type { SurfaceApproval, SurfaceRefusal } from '../device/record.js';
import type { SurfaceDecisionEvent } from './events.js';
import type { GrantRecord } from './grants.js';
import type { SurfaceState } from './state.js';
import type { GrantRequest } from './surfaces.js';

/** How what a node offers compares to what was approved before on that node; `new` when nothing was. */
export type SurfaceVerdict = DescriptorDifference['verdict'] | 'new';

/** One capability as a node offers it now, and what was decided about it. */
export interface SurfaceView {
  readonly deviceId: string;
  /** The name of the node. */
  readonly node: string;
  readonly capability: string;
  readonly digest: string;
  readonly plugin: string;
  readonly pluginVersion: string;
  readonly buildDigest: string;
  /** How the node runs its plugin, as it says. */
  readonly standing?: PluginStanding;
  readonly state: SurfaceState;
  /** Whether the operator has enabled its plugin. */
  readonly enabled: boolean;
  readonly verdict: SurfaceVerdict;
  /** How it differs from what was approved last, what is wider first. */
  readonly changes: DescriptorDifference['changes'];
  /** Why it can't be approved: its schemas do not compile, or it is not kept. */
  readonly refusal?: ErrorEnvelope;
  /** What was approved last of this capability on this node. */
  readonly approved?: SurfaceApproval;
  readonly refused?: SurfaceRefusal;
  /** It is covered by this grant. */
  readonly granted?: GrantRecord;
  readonly actions: readonly SurfaceDecisionEvent['type'][];
}

/** The same with all that is known of it. */
export interface SurfaceDetail extends SurfaceView {
  /** Left out when it is not kept. */
  readonly descriptor?: Descriptor;
  /** The descriptor that it is compared with. */
  readonly before?: Descriptor;
}

export interface SurfaceFilter {
  readonly states?: readonly SurfaceState[];
  readonly deviceId?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

export interface DecideSurface {
  readonly action: SurfaceDecisionEvent['type'];
  /** The digest that the operator saw (protocol.md 10). */
  readonly digest: string;
  /** The build that the operator saw; left out when any will do. */
  readonly buildDigest?: string;
  readonly reason: string;
}

export interface SurfaceControl {
  /** What is approved by label, the newest first; also what was withdrawn. */
  grants(caller: VerifiedCaller): Promise<readonly GrantRecord[]>;
  /**
   * Approves a descriptor for every device with these labels.
   *
   * @throws AppError `surface.forbidden`, `surface.changed`, `surface.not_kept`, `surface.not_offered`, `surface.too_many_grants`,
   *   `device.not_found`, and those of the plugin layer when its schemas are refused.
   */
  grant(caller: VerifiedCaller, request: GrantRequest): Promise<GrantRecord>;
  /** @throws AppError `surface.forbidden`, `surface.grant_not_found`, `surface.not_possible`. */
  withdraw(caller: VerifiedCaller, id: string, reason: string): Promise<GrantRecord>;
  list(
    caller: VerifiedCaller,
    filter: SurfaceFilter,
  ): Promise<{ readonly surfaces: readonly SurfaceView[]; readonly next?: string }>;
  /** @throws AppError `device.not_found`, `surface.not_offered`. */
  get(caller: VerifiedCaller, deviceId: string, capability: string): Promise<SurfaceDetail>;
  /**
   * @throws AppError `surface.changed` when something else is offered by now, `surface.forbidden`, `surface.not_possible`,
   *   `surface.not_kept`, `surface.not_offered`, `device.not_found`, and those of the plugin layer when its schemas are refused.
   */
  decide(
    caller: VerifiedCaller,
    deviceId: string,
    capability: string,
    decision: DecideSurface,
  ): Promise<SurfaceView>;
}
