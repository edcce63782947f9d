/**
 * The client of the control plane: `palyra-node-runtime/client`.
 *
 * @example
 * import { ControlPlaneClient } from 'palyra-node-runtime/client';
 * const client = new ControlPlaneClient({ baseUrl: 'http://127.0.0.1:7142', token: process.env.PALYRA_TOKEN });
 * const { devices } = await client.inventory();
 */
export { contract } from '../contract/contract-version.js';
export type { DispatchEvent } from '../contract/dispatch-events.js';
export type {
  ContractDescriptor,
  CreateDispatch,
  CreateFanout,
  Dispatch,
  DispatchOutcome,
  DispatchPage,
  DispatchSummary,
  Fanout,
  FanoutMember,
  FanoutPage,
  FanoutPlan,
  FanoutTarget,
  Grant,
  GrantList,
  Inventory,
  InventoryEntry,
  MintedJoinCode,
  MintedPairingCode,
  MintedPin,
  MintPairingCode,
  Pairing,
  PairingApproval,
  PairingCode,
  PairingCodePage,
  PairingList,
  PairingRejection,
  PinPairing,
  PlanFanout,
  Plugin,
  PluginList,
  PluginReload,
  PruneJob,
  PruneOrder,
  Pruning,
  RetryDispatch,
  Surface,
  SurfaceDetail,
  SurfacePage,
} from '../contract/index.js';
export { AppError, type ErrorCategory, type ErrorEnvelope, type FieldError } from '../kernel/errors.js';
export type { ControlPlaneClientOptions, FollowOptions, RequestOptions } from './client-options.js';
export { ControlPlaneClient } from './control-plane-client.js';
export { FanoutCalls, hasEnded } from './fanout-calls.js';
