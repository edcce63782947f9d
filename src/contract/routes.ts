import { type TSchema, Type } from 'typebox';
import { ContractDescriptorSchema } from './contract-version.js';
import {
  CancelDispatchSchema,
  CreateDispatchSchema,
  DispatchFilterSchema,
  DispatchPageSchema,
  DispatchSchema,
} from './dispatch.js';
import { HealthSchema } from './health.js';
import { InventorySchema } from './inventory.js';
import {
  MintedPairingCodeSchema,
  MintPairingCodeSchema,
  PairingApprovalSchema,
  PairingDecisionSchema,
  PairingFilterSchema,
  PairingListSchema,
  PairingSchema,
} from './pairing.js';
import { closed, id, type Wire } from './primitives.js';

/** The least that a caller must hold: `none` for everybody, else a role, which includes the ones before it. */
export const authorities = ['none', 'viewer', 'invoker', 'approver', 'admin'] as const;
export type Authority = (typeof authorities)[number];

/** One route of the API. `path` names its parameters as `:id`. */
export interface RouteDefinition {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly authority: Authority;
  readonly summary: string;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** The statuses of success, the usual one first. All have the same body. */
  readonly statuses: readonly [200 | 201 | 202, ...(200 | 201 | 202)[]];
  readonly response: TSchema;
}

const pairingParams = Type.Object({ id: id('pr') }, closed);
const dispatchParams = Type.Object({ id: id('dp') }, closed);

/**
 * Every route of the API and who may use it. The server registers these and nothing else, the client is typed by them,
 * and a test walks all of them without a token, with a wrong one and with too small a role.
 */
export const routes = {
  mintPairingCode: {
    method: 'POST',
    path: '/v1/pairing-codes',
    authority: 'admin',
    summary: 'Mint a join string with which one machine may ask to join',
    body: MintPairingCodeSchema,
    statuses: [201],
    response: MintedPairingCodeSchema,
  },
  listPairings: {
    method: 'GET',
    path: '/v1/pairings',
    authority: 'viewer',
    summary: 'List the requests of machines to join, the newest first',
    query: PairingFilterSchema,
    statuses: [200],
    response: PairingListSchema,
  },
  getPairing: {
    method: 'GET',
    path: '/v1/pairings/:id',
    authority: 'viewer',
    summary: 'Read one request to join',
    params: pairingParams,
    statuses: [200],
    response: PairingSchema,
  },
  approvePairing: {
    method: 'POST',
    path: '/v1/pairings/:id/approve',
    authority: 'approver',
    summary: 'Let the machine join, with the capabilities that its request shows',
    params: pairingParams,
    body: PairingApprovalSchema,
    statuses: [200],
    response: PairingSchema,
  },
  rejectPairing: {
    method: 'POST',
    path: '/v1/pairings/:id/reject',
    authority: 'approver',
    summary: 'Refuse the machine',
    params: pairingParams,
    body: PairingDecisionSchema,
    statuses: [200],
    response: PairingSchema,
  },
  getInventory: {
    method: 'GET',
    path: '/v1/inventory',
    authority: 'viewer',
    summary: 'List every device with its trust, presence and capabilities',
    statuses: [200],
    response: InventorySchema,
  },
  createDispatch: {
    method: 'POST',
    path: '/v1/dispatches',
    authority: 'invoker',
    summary: 'Run a capability on a node; 200 when it has ended, 202 when it was accepted',
    body: CreateDispatchSchema,
    statuses: [200, 202],
    response: DispatchSchema,
  },
  listDispatches: {
    method: 'GET',
    path: '/v1/dispatches',
    authority: 'viewer',
    summary: 'List dispatches, the newest first',
    query: DispatchFilterSchema,
    statuses: [200],
    response: DispatchPageSchema,
  },
  getDispatch: {
    method: 'GET',
    path: '/v1/dispatches/:id',
    authority: 'viewer',
    summary: 'Read one dispatch with its steps',
    params: dispatchParams,
    statuses: [200],
    response: DispatchSchema,
  },
  cancelDispatch: {
    method: 'POST',
    path: '/v1/dispatches/:id/cancel',
    authority: 'invoker',
    summary: 'Ask for the end of a dispatch; how it ends is the word of the node',
    params: dispatchParams,
    body: CancelDispatchSchema,
    statuses: [200],
    response: DispatchSchema,
  },
  getContract: {
    method: 'GET',
    path: '/v1/contract',
    authority: 'none',
    summary: 'Say which API this is',
    statuses: [200],
    response: ContractDescriptorSchema,
  },
  getHealth: {
    method: 'GET',
    path: '/healthz',
    authority: 'none',
    summary: 'Say that the process answers',
    statuses: [200],
    response: HealthSchema,
  },
} as const satisfies Readonly<Record<string, RouteDefinition>>;

export type RouteName = keyof typeof routes;

type Part<Name extends RouteName, Key extends 'params' | 'query' | 'body'> = (typeof routes)[Name] extends {
  readonly [K in Key]: infer Schema extends TSchema;
}
  ? Wire<Schema>
  : undefined;

export type RouteParams<Name extends RouteName> = Part<Name, 'params'>;
export type RouteQuery<Name extends RouteName> = Part<Name, 'query'>;
export type RouteBody<Name extends RouteName> = Part<Name, 'body'>;
export type RouteResponse<Name extends RouteName> = Wire<(typeof routes)[Name]['response']>;

export const routeNames = Object.keys(routes) as readonly RouteName[];
