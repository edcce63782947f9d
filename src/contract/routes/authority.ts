import type { RouteTable } from '../route-entry.js';

/** The certificate authorities of the daemon. */
export const authorityRoutes = {
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
} as const satisfies RouteTable;
