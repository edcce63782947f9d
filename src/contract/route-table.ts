/** The least that a caller must hold: `none` for everybody, else a role, which includes the ones before it. */
export const authorities = ['none', 'viewer', 'invoker', 'approver', 'admin'] as const;
export type Authority = (typeof authorities)[number];

/** One route of the API. `path` names its parameters as `:id`. */
export interface RouteEntry {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly authority: Authority;
  readonly summary: string;
  /** The statuses of success, the usual one first. All have the same body. */
  readonly statuses: readonly [200 | 201 | 202, ...(200 | 201 | 202)[]];
  /** Answers with server-sent events (WHATWG HTML) in place of one body: `response` of its schemas describes each of them. */
  readonly stream?: true;
}

/**
 * Every route of the API and who may use it. The server registers these and nothing else, the client is typed by them,
 * and a test walks all of them without a token, with a wrong one and with too small a role. What each takes and answers
 * stands in `route-schemas.ts`, apart from this, so that a client need not load the schemas.
 */
export const routes = {
  mintPairingCode: {
    method: 'POST',
    path: '/v1/pairing-codes',
    authority: 'admin',
    summary: 'Mint a join string or a PIN with which one machine may ask to join',
    statuses: [201],
  },
  listPairingCodes: {
    method: 'GET',
    path: '/v1/pairing-codes',
    authority: 'viewer',
    summary: 'List the codes that were minted, the newest first, without what could be used of them',
    statuses: [200],
  },
  getPairingCode: {
    method: 'GET',
    path: '/v1/pairing-codes/:id',
    authority: 'viewer',
    summary: 'Read one code, without what could be used of it',
    statuses: [200],
  },
  cancelPairingCode: {
    method: 'POST',
    path: '/v1/pairing-codes/:id/cancel',
    authority: 'approver',
    summary: 'End a code; a request that it has led to stays',
    statuses: [200],
  },
  getPinPairing: {
    method: 'GET',
    path: '/v1/pin-pairing',
    authority: 'viewer',
    summary: 'Say whether PINs are locked, and from where wrong ones came',
    statuses: [200],
  },
  unlockPinPairing: {
    method: 'POST',
    path: '/v1/pin-pairing/unlock',
    authority: 'admin',
    summary: 'Let PINs pair again after too many wrong ones, and start their count anew',
    statuses: [200],
  },
  listPairings: {
    method: 'GET',
    path: '/v1/pairings',
    authority: 'viewer',
    summary: 'List the requests of machines to join, the newest first',
    statuses: [200],
  },
  getPairing: {
    method: 'GET',
    path: '/v1/pairings/:id',
    authority: 'viewer',
    summary: 'Read one request to join',
    statuses: [200],
  },
  approvePairing: {
    method: 'POST',
    path: '/v1/pairings/:id/approve',
    authority: 'approver',
    summary: 'Let the machine join, with the capabilities that its request shows',
    statuses: [200],
  },
  rejectPairing: {
    method: 'POST',
    path: '/v1/pairings/:id/reject',
    authority: 'approver',
    summary: 'Refuse the machine',
    statuses: [200],
  },
  cancelPairing: {
    method: 'POST',
    path: '/v1/pairings/:id/cancel',
    authority: 'approver',
    summary: 'Take a request back that is not decided',
    statuses: [200],
  },
  getInventory: {
    method: 'GET',
    path: '/v1/inventory',
    authority: 'viewer',
    summary: 'List every device with its trust, presence and capabilities',
    statuses: [200],
  },
  listDevices: {
    method: 'GET',
    path: '/v1/devices',
    authority: 'viewer',
    summary: 'List the devices that were ever approved, by id, with their certificates and approvals',
    statuses: [200],
  },
  getDevice: {
    method: 'GET',
    path: '/v1/devices/:id',
    authority: 'viewer',
    summary: 'Read one device',
    statuses: [200],
  },
  renameDevice: {
    method: 'POST',
    path: '/v1/devices/:id/rename',
    authority: 'admin',
    summary: 'Give a device another name',
    statuses: [200],
  },
  labelDevice: {
    method: 'POST',
    path: '/v1/devices/:id/labels',
    authority: 'admin',
    summary: 'Set and remove labels of a device; what is granted by label counts by them at once',
    statuses: [200],
  },
  rotateDevice: {
    method: 'POST',
    path: '/v1/devices/:id/rotate',
    authority: 'admin',
    summary: 'Order a device to renew its certificate: now, or when it is back',
    statuses: [200],
  },
  revokeDevice: {
    method: 'POST',
    path: '/v1/devices/:id/revoke',
    authority: 'admin',
    summary: 'Shut a device out as it is: its session and its work end at once',
    statuses: [200],
  },
  removeDevice: {
    method: 'POST',
    path: '/v1/devices/:id/remove',
    authority: 'admin',
    summary: 'Shut a device out and forget all but its id',
    statuses: [200],
  },
  banDevice: {
    method: 'POST',
    path: '/v1/devices/:id/ban',
    authority: 'admin',
    summary: 'Shut an id out, whether it has ever come or not',
    statuses: [200],
  },
  decideClone: {
    method: 'POST',
    path: '/v1/devices/:id/clone',
    authority: 'admin',
    summary: 'Say which of several hosts with one identity is the device',
    statuses: [200],
  },
  liftDevice: {
    method: 'POST',
    path: '/v1/devices/:id/lift',
    authority: 'admin',
    summary: 'Take a bar off a device',
    statuses: [200],
  },
  listSurfaces: {
    method: 'GET',
    path: '/v1/surfaces',
    authority: 'viewer',
    summary:
      'List what nodes offer, with what was decided about it and how it differs from what was approved',
    statuses: [200],
  },
  getSurface: {
    method: 'GET',
    path: '/v1/surfaces/:id/:capability',
    authority: 'viewer',
    summary: 'Read one capability as a node offers it, with its descriptor',
    statuses: [200],
  },
  decideSurface: {
    method: 'POST',
    path: '/v1/surfaces/:id/:capability/decide',
    authority: 'approver',
    summary: 'Approve, reject or revoke a capability on one node',
    statuses: [200],
  },
  listGrants: {
    method: 'GET',
    path: '/v1/grants',
    authority: 'viewer',
    summary: 'List what is approved for all devices with certain labels',
    statuses: [200],
  },
  createGrant: {
    method: 'POST',
    path: '/v1/grants',
    authority: 'approver',
    summary: 'Approve what a node offers for every device that has certain labels',
    statuses: [201],
  },
  withdrawGrant: {
    method: 'POST',
    path: '/v1/grants/:id/withdraw',
    authority: 'approver',
    summary: 'Take a grant back; what runs by it alone is stopped',
    statuses: [200],
  },
  listPlugins: {
    method: 'GET',
    path: '/v1/plugins',
    authority: 'viewer',
    summary: 'List the plugins that the daemon knows: loaded, disabled, quarantined and why',
    statuses: [200],
  },
  getPlugin: {
    method: 'GET',
    path: '/v1/plugins/:plugin',
    authority: 'viewer',
    summary: 'Read what goes by the name of one plugin',
    statuses: [200],
  },
  reloadPlugins: {
    method: 'POST',
    path: '/v1/plugins/reload',
    authority: 'admin',
    summary: 'Read configuration and folders again, and take over what they say of plugins',
    statuses: [200],
  },
  getAuthority: {
    method: 'GET',
    path: '/v1/authority',
    authority: 'viewer',
    summary: 'Read how the certificate authorities of the daemon stand',
    statuses: [200],
  },
  rotateAuthority: {
    method: 'POST',
    path: '/v1/authority/rotate',
    authority: 'admin',
    summary: 'Begin to move to a new certificate authority, with both trusted until every node has moved',
    statuses: [200],
  },
  forgetAuthority: {
    method: 'POST',
    path: '/v1/authority/forget',
    authority: 'admin',
    summary: 'Delete a retired certificate authority: nodes that know no other have to pair again',
    statuses: [200],
  },
  createDispatch: {
    method: 'POST',
    path: '/v1/dispatches',
    authority: 'invoker',
    summary: 'Run a capability on a node; 200 when it has ended, 202 when it was accepted',
    statuses: [200, 202],
  },
  foreseeDispatch: {
    method: 'POST',
    path: '/v1/dispatches/dry-run',
    authority: 'invoker',
    summary: 'Say what running a capability would lead to, by the same rules, and change nothing',
    statuses: [200],
  },
  listDispatches: {
    method: 'GET',
    path: '/v1/dispatches',
    authority: 'viewer',
    summary: 'List dispatches, the newest first',
    statuses: [200],
  },
  getDispatch: {
    method: 'GET',
    path: '/v1/dispatches/:id',
    authority: 'viewer',
    summary: 'Read one dispatch with its steps',
    statuses: [200],
  },
  followDispatch: {
    method: 'GET',
    path: '/v1/dispatches/:id/events',
    authority: 'viewer',
    summary: 'Follow one dispatch: its steps, its progress and its end, as server-sent events',
    statuses: [200],
    stream: true,
  },
  cancelDispatch: {
    method: 'POST',
    path: '/v1/dispatches/:id/cancel',
    authority: 'invoker',
    summary: 'Ask for the end of a dispatch; how it ends is the word of the node',
    statuses: [200],
  },
  pruneDispatches: {
    method: 'POST',
    path: '/v1/dispatches/prune',
    authority: 'admin',
    summary: 'Begin to delete dispatches that have ended, in the background, or join that',
    statuses: [202],
  },
  getPruning: {
    method: 'GET',
    path: '/v1/dispatches/prune',
    authority: 'viewer',
    summary: 'Say how far the deletion is that was ordered last',
    statuses: [200],
  },
  retryDispatch: {
    method: 'POST',
    path: '/v1/dispatches/:id/retry',
    authority: 'invoker',
    summary: 'Ask again for what has ended: a new dispatch of the same on the same node',
    statuses: [202],
  },
  planFanout: {
    method: 'POST',
    path: '/v1/fan-outs/plan',
    authority: 'invoker',
    summary: 'Say which nodes a fan-out would run on and what would become of each; nothing runs',
    statuses: [200],
  },
  createFanout: {
    method: 'POST',
    path: '/v1/fan-outs',
    authority: 'invoker',
    summary: 'Run a capability on every node that a selector means',
    statuses: [202],
  },
  listFanouts: {
    method: 'GET',
    path: '/v1/fan-outs',
    authority: 'viewer',
    summary: 'List fan-outs, the newest first, without their targets',
    statuses: [200],
  },
  getFanout: {
    method: 'GET',
    path: '/v1/fan-outs/:id',
    authority: 'viewer',
    summary: 'Read one fan-out with its targets, or wait for the next change and read what has changed',
    statuses: [200],
  },
  cancelFanout: {
    method: 'POST',
    path: '/v1/fan-outs/:id/cancel',
    authority: 'invoker',
    summary: 'Start no more targets of a fan-out and cancel those under way',
    statuses: [200],
  },
  explain: {
    method: 'GET',
    path: '/v1/explanations/:subject',
    authority: 'viewer',
    summary:
      'Explain a dispatch, a pairing or a node: what happened, why it is where it is, what happens next',
    statuses: [200],
  },
  getContract: {
    method: 'GET',
    path: '/v1/contract',
    authority: 'none',
    summary: 'Say which API this is',
    statuses: [200],
  },
  getHealth: {
    method: 'GET',
    path: '/healthz',
    authority: 'none',
    summary: 'Say that the process answers',
    statuses: [200],
  },
} as const satisfies Readonly<Record<string, RouteEntry>>;

export type RouteName = keyof typeof routes;

/** The routes that answer with a stream of events. */
export type StreamName = {
  [Name in RouteName]: (typeof routes)[Name] extends { readonly stream: true } ? Name : never;
}[RouteName];

export const routeNames = Object.keys(routes) as readonly RouteName[];

/** Whether a route answers with a stream of events. */
export function isStream(name: RouteName): name is StreamName {
  const route: RouteEntry = routes[name];
  return route.stream === true;
}
