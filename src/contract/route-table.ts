import type { RouteEntry, RouteTable } from './route-entry.js';
import { authorityRoutes } from './routes/authority.js';
import { daemonRoutes } from './routes/daemon.js';
import { deviceRoutes } from './routes/device.js';
import { dispatchRoutes } from './routes/dispatch.js';
import { fanoutRoutes } from './routes/fanout.js';
import { pairingRoutes } from './routes/pairing.js';
import { pluginRoutes } from './routes/plugin.js';
import { surfaceRoutes } from './routes/surface.js';

/**
 * Every route of the API and who may use it. The server registers these and nothing else, the client is typed by them,
 * and a test walks all of them without a token, with a wrong one and with too small a role. What each takes and answers
 * stands in `route-schemas.ts`, apart from this, so that a client need not load the schemas.
 */
export const routes = {
  ...pairingRoutes,
  ...deviceRoutes,
  ...surfaceRoutes,
  ...pluginRoutes,
  ...authorityRoutes,
  ...dispatchRoutes,
  ...fanoutRoutes,
  ...daemonRoutes,
} as const satisfies RouteTable;

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
