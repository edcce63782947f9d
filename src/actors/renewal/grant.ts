import type { Grant } from '../device/renewals.js';

/** What a node needs to connect from now on, and the pairing that it has to confirm when it came by coming back. */
export interface ReturnGrant extends Grant {
  readonly pairingId?: string;
}
