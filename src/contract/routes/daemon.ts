import type { RouteTable } from '../route-entry.js';

/** What is asked of the daemon itself. */
export const daemonRoutes = {
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
} as const satisfies RouteTable;
