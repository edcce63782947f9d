import type { RouteTable } from '../route-entry.js';

/** Devices, and the list of them all. */
export const deviceRoutes = {
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
} as const satisfies RouteTable;
