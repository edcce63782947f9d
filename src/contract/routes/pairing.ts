import type { RouteTable } from '../route-entry.js';

/** Codes, PINs and requests to join. */
export const pairingRoutes = {
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
} as const satisfies RouteTable;
