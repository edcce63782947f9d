import type { RouteTable } from '../route-entry.js';

/** Plugins of the daemon. */
export const pluginRoutes = {
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
} as const satisfies RouteTable;
