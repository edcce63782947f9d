import { type TSchema, Type } from 'typebox';
import { AuthorityStatusSchema, ForgetAuthoritySchema, RotateAuthoritySchema } from './authority.js';
import { ContractDescriptorSchema } from './contract-descriptor.js';
import {
  DecideCloneSchema,
  DecideDeviceSchema,
  DeviceFilterSchema,
  DevicePageSchema,
  DeviceSchema,
  deviceParams,
  LabelDeviceSchema,
  RenameDeviceSchema,
  RotateDeviceSchema,
} from './device.js';
import {
  CancelDispatchSchema,
  CreateDispatchSchema,
  DispatchFilterSchema,
  DispatchPageSchema,
  DispatchSchema,
  GetDispatchQuerySchema,
  RetryDispatchSchema,
} from './dispatch.js';
import { DispatchEventSchema, FollowDispatchSchema, LastEventIdSchema } from './dispatch-events.js';
import { DispatchForecastSchema } from './dispatch-forecast.js';
import { ExplanationSchema, explanationParams } from './explanation.js';
import {
  CancelFanoutSchema,
  CreateFanoutSchema,
  FanoutFilterSchema,
  FanoutPageSchema,
  FanoutPlanSchema,
  FanoutSchema,
  FanoutSinceSchema,
  PlanFanoutSchema,
} from './fanout.js';
import { CreateGrantSchema, GrantListSchema, GrantSchema, WithdrawGrantSchema } from './grant.js';
import { HealthSchema } from './health.js';
import { InventoryFilterSchema, InventorySchema } from './inventory.js';
import {
  PairingApprovalSchema,
  PairingDecisionSchema,
  PairingFilterSchema,
  PairingListSchema,
  PairingSchema,
} from './pairing.js';
import {
  DecideCodeSchema,
  MintedPairingCodeSchema,
  MintPairingCodeSchema,
  PairingCodeFilterSchema,
  PairingCodePageSchema,
  PairingCodeSchema,
  PinPairingSchema,
} from './pairing-code.js';
import { PluginListSchema, PluginReloadSchema, pluginParams } from './plugin.js';
import { closed, id, type Wire } from './primitives.js';
import { PruneJobSchema, PruneOrderSchema, PruningSchema } from './pruning.js';
import type { RouteName } from './route-table.js';
import {
  DecideSurfaceSchema,
  SurfaceDetailSchema,
  SurfaceFilterSchema,
  SurfacePageSchema,
  SurfaceSchema,
  surfaceParams,
} from './surface.js';

/** What a route takes and what it answers. */
export interface RouteSchemas {
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** Headers that the route reads, by their names in lower case. */
  readonly headers?: TSchema;
  readonly response: TSchema;
}

const codeParams = Type.Object({ id: id('pc') }, closed);
const pairingParams = Type.Object({ id: id('pr') }, closed);
const grantParams = Type.Object({ id: id('gr') }, closed);
const fanoutParams = Type.Object({ id: id('fo') }, closed);
const dispatchParams = Type.Object({ id: id('dp') }, closed);

/** The schemas of every route of the table. */
export const routeSchemas = {
  mintPairingCode: {
    body: MintPairingCodeSchema,
    response: MintedPairingCodeSchema,
  },
  listPairingCodes: {
    query: PairingCodeFilterSchema,
    response: PairingCodePageSchema,
  },
  getPairingCode: {
    params: codeParams,
    response: PairingCodeSchema,
  },
  cancelPairingCode: {
    params: codeParams,
    body: DecideCodeSchema,
    response: PairingCodeSchema,
  },
  getPinPairing: {
    response: PinPairingSchema,
  },
  unlockPinPairing: {
    body: DecideCodeSchema,
    response: PinPairingSchema,
  },
  listPairings: {
    query: PairingFilterSchema,
    response: PairingListSchema,
  },
  getPairing: {
    params: pairingParams,
    response: PairingSchema,
  },
  approvePairing: {
    params: pairingParams,
    body: PairingApprovalSchema,
    response: PairingSchema,
  },
  rejectPairing: {
    params: pairingParams,
    body: PairingDecisionSchema,
    response: PairingSchema,
  },
  cancelPairing: {
    params: pairingParams,
    body: DecideCodeSchema,
    response: PairingSchema,
  },
  getInventory: {
    query: InventoryFilterSchema,
    response: InventorySchema,
  },
  listDevices: {
    query: DeviceFilterSchema,
    response: DevicePageSchema,
  },
  getDevice: {
    params: deviceParams,
    response: DeviceSchema,
  },
  rotateDevice: {
    params: deviceParams,
    body: RotateDeviceSchema,
    response: DeviceSchema,
  },
  renameDevice: {
    params: deviceParams,
    body: RenameDeviceSchema,
    response: DeviceSchema,
  },
  labelDevice: {
    params: deviceParams,
    body: LabelDeviceSchema,
    response: DeviceSchema,
  },
  revokeDevice: {
    params: deviceParams,
    body: DecideDeviceSchema,
    response: DeviceSchema,
  },
  removeDevice: {
    params: deviceParams,
    body: DecideDeviceSchema,
    response: DeviceSchema,
  },
  banDevice: {
    params: deviceParams,
    body: DecideDeviceSchema,
    response: DeviceSchema,
  },
  decideClone: {
    params: deviceParams,
    body: DecideCloneSchema,
    response: DeviceSchema,
  },
  liftDevice: {
    params: deviceParams,
    body: DecideDeviceSchema,
    response: DeviceSchema,
  },
  listSurfaces: {
    query: SurfaceFilterSchema,
    response: SurfacePageSchema,
  },
  getSurface: {
    params: surfaceParams,
    response: SurfaceDetailSchema,
  },
  decideSurface: {
    params: surfaceParams,
    body: DecideSurfaceSchema,
    response: SurfaceSchema,
  },
  listGrants: { response: GrantListSchema },
  createGrant: { body: CreateGrantSchema, response: GrantSchema },
  withdrawGrant: { params: grantParams, body: WithdrawGrantSchema, response: GrantSchema },
  listPlugins: { response: PluginListSchema },
  getPlugin: { params: pluginParams, response: PluginListSchema },
  reloadPlugins: { body: Type.Object({}, closed), response: PluginReloadSchema },
  getAuthority: { response: AuthorityStatusSchema },
  rotateAuthority: { body: RotateAuthoritySchema, response: AuthorityStatusSchema },
  forgetAuthority: { body: ForgetAuthoritySchema, response: AuthorityStatusSchema },
  createDispatch: {
    body: CreateDispatchSchema,
    response: DispatchSchema,
  },
  foreseeDispatch: {
    body: CreateDispatchSchema,
    response: DispatchForecastSchema,
  },
  listDispatches: {
    query: DispatchFilterSchema,
    response: DispatchPageSchema,
  },
  getDispatch: {
    params: dispatchParams,
    query: GetDispatchQuerySchema,
    response: DispatchSchema,
  },
  followDispatch: {
    params: dispatchParams,
    query: FollowDispatchSchema,
    headers: LastEventIdSchema,
    response: DispatchEventSchema,
  },
  cancelDispatch: {
    params: dispatchParams,
    body: CancelDispatchSchema,
    response: DispatchSchema,
  },
  pruneDispatches: { body: PruneOrderSchema, response: PruneJobSchema },
  getPruning: { response: PruningSchema },
  retryDispatch: {
    params: dispatchParams,
    body: RetryDispatchSchema,
    response: DispatchSchema,
  },
  planFanout: { body: PlanFanoutSchema, response: FanoutPlanSchema },
  createFanout: { body: CreateFanoutSchema, response: FanoutSchema },
  listFanouts: { query: FanoutFilterSchema, response: FanoutPageSchema },
  getFanout: { params: fanoutParams, query: FanoutSinceSchema, response: FanoutSchema },
  cancelFanout: { params: fanoutParams, body: CancelFanoutSchema, response: FanoutSchema },
  explain: {
    params: explanationParams,
    response: ExplanationSchema,
  },
  getContract: {
    response: ContractDescriptorSchema,
  },
  getHealth: {
    response: HealthSchema,
  },
} as const satisfies Readonly<Record<RouteName, RouteSchemas>>;

type Part<
  Name extends RouteName,
  Key extends 'params' | 'query' | 'body',
> = (typeof routeSchemas)[Name] extends {
  readonly [K in Key]: infer Schema extends TSchema;
}
  ? Wire<Schema>
  : undefined;

export type RouteParams<Name extends RouteName> = Part<Name, 'params'>;
export type RouteQuery<Name extends RouteName> = Part<Name, 'query'>;
export type RouteBody<Name extends RouteName> = Part<Name, 'body'>;
export type RouteResponse<Name extends RouteName> = Wire<(typeof routeSchemas)[Name]['response']>;
