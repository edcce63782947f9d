import type { RouteTable } from '../route-entry.js';

/** Dispatches, and their deletion. */
export const dispatchRoutes = {
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
} as const satisfies RouteTable;
