import type { RouteTable } from '../route-entry.js';

/** Fan-outs: one capability on many nodes. */
export const fanoutRoutes = {
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
} as const satisfies RouteTable;
