import type { RouteTable } from '../route-entry.js';

/** What nodes offer, and what is granted by label. */
export const surfaceRoutes = {
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
} as const satisfies RouteTable;
