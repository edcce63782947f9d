import type { Descriptor } from '../../plugins/descriptor.js';
import type { PluginStanding } from '../../plugins/standing.js';
import type { HostFacts } from '../device/record.js';

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

/** Whether a pairing in this state still waits for somebody: its actor lives. */
export function isOpen(state: PairingState): boolean {
  return state === 'proving' || state === 'pending_approval' || state === 'approved';
}

/** Whether a machine that asks gets its certificate in this state. */
export function hasCertificate(state: PairingState): boolean {
  return state === 'approved' || state === 'completed';
}

/** One capability that a machine asks to offer, as data: nothing is compiled before an operator approves. */
export interface RequestedCapability {
  readonly digest: string;
  readonly capability: string;
  readonly plugin: string;
  readonly pluginVersion: string;
  readonly buildDigest: string;
  /** How the node runs its plugin, as it says. */
  readonly standing?: PluginStanding;
  readonly descriptor: Descriptor;
}

/** One machine's request to join. Kind `pairing`; `owner` is the device id. Times are milliseconds since the epoch. */
export interface PairingRecord {
  readonly id: string;
  readonly version: number;
  readonly state: PairingState;
  readonly deviceId: string;
  /** Raw Ed25519 public identity key, base64url. */
  readonly identityKey: string;
  readonly codeId: string;
  /** SHA-256 of the latest proven Begin exchange, hex: what an approval names. */
  readonly transcript: string;
  /** The first proven one: what the fingerprint words are made of. */
  readonly wordsTranscript: string;
  /** PKCS #10 DER, base64. */
  readonly csr: string;
  /** SHA-256 of the CSR, hex. */
  readonly csrDigest: string;
  readonly surfaceDigest: string;
  readonly requested: readonly RequestedCapability[];
  readonly facts: HostFacts;
  readonly proposedName: string;
  readonly peerAddress: string;
  readonly purpose: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly alerts: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number;
  readonly decision?: {
    readonly by: string;
    readonly at: number;
    readonly reason: string;
    readonly name: string;
  };
  /** A known device that asks to come back without a code, proven by its identity key. */
  readonly returning?: ReturnClaim | undefined;
  /** The issued device certificate (PEM). */
  readonly certificate?: string;
}

/** What a device that comes back is known by. */
export interface ReturnClaim {
  /** When its last certificate ended, or will; absent when it never had one. Milliseconds since the epoch. */
  readonly certificateExpiresAt?: number;
}

/** How a machine proves that it was invited. */
export const pairingMethods = ['join', 'pin'] as const;
export type PairingMethod = (typeof pairingMethods)[number];

export const pairingCodeStates = ['live', 'bound', 'used', 'exhausted', 'cancelled', 'expired'] as const;
export type PairingCodeState = (typeof pairingCodeStates)[number];

/** One proof that was charged: it was wrong, or it is being compared at this moment. */
export interface ChargedProof {
  readonly attemptId: string;
  readonly at: number;
  /** The address that it came from. */
  readonly address: string;
}

/** A code that an operator minted. Kind `pairing-code`. It holds nothing that could be used as the code. */
export interface PairingCodeRecord {
  readonly id: string;
  readonly version: number;
  /** `bound`: a machine has proven it. `exhausted`: five wrong proofs have ended it. */
  readonly state: PairingCodeState;
  readonly method: PairingMethod;
  /** Of a join string: its raw Ed25519 public key, base64url. */
  readonly joinKey?: string;
  /** Of a PIN: its public part. */
  readonly slot?: string;
  readonly purpose: string;
  readonly labels: Readonly<Record<string, string>>;
  /** At most five. */
  readonly charges: readonly ChargedProof[];
  /** The first device that proved it. */
  readonly boundTo?: string;
  /** Why it ended before it was used, in words for the operator. */
  readonly endReason?: string;
  readonly mintedBy: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number;
}

/** What is kept over all PIN codes. Kind `pin-guard`; there is one. */
export interface PinGuardRecord {
  readonly id: string;
  readonly version: number;
  /** `locked`: no PIN pairs until an operator lifts it. */
  readonly state: 'open' | 'locked';
  /** Of the last 24 hours, or since the lock was lifted; at most 20, and 20 is what locks. */
  readonly charges: readonly (ChargedProof & { readonly codeId: string })[];
  /** Proofs that were charged in all, of join strings and of codes that did not live too. */
  readonly proofs: number;
  readonly lockedAt?: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}
