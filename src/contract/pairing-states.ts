export const pairingStates = [
  'proving',
  'pending_approval',
  'approved',
  'completed',
  'rejected',
  'expired',
  'cancelled',
] as const;

export type PairingState = (typeof pairingStates)[number];
