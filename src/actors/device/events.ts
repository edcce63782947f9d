import type { Senders, VerifiedCaller } from '../../kernel/authority.js';
import type { IssuedCertificate } from '../authority/device-authority.js';
import { returnPolicyName } from '../pairing/events.js';
import type { LabelChange } from './labels.js';
import type { HostFacts, SurfaceApproval } from './record.js';
import type { Bar } from './revocations.js';

/** What the approval of a pairing brings. */
export interface DeviceEnrolment {
  readonly name: string;
  /** Raw Ed25519 public key, base64url. */
  readonly identityKey: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: HostFacts;
  readonly certificate: IssuedCertificate;
  /** SHA-256 of the request that it was issued for, lower-case hex. */
  readonly csrDigest: string;
  readonly approvals: readonly SurfaceApproval[];
}

/** What an operator decides about a device that is there, or may come; and that its owner takes it out. */
export type DeviceDecisionEvent =
  | { type: 'rename'; caller: VerifiedCaller; reason: string; name: string }
  | ({ type: 'label'; caller: VerifiedCaller; reason: string } & LabelChange)
  | {
      type: 'rotate' | 'revoke' | 'remove' | 'ban' | 'lift' | 'leave';
      caller: VerifiedCaller;
      reason: string;
    };

/** Events of a device. */
export type DeviceEvent =
  | DeviceDecisionEvent
  | { type: 'enrol'; caller: VerifiedCaller; enrolment: DeviceEnrolment }
  /** A bar that was decided, and that the database does not have: it came from a backup, or the daemon died in between. */
  | { type: 'recorded'; bar: Bar };

/** Who sends each of them. */
export const deviceSenders = {
  enrol: { role: 'approver', policy: returnPolicyName },
  rename: { role: 'admin' },
  label: { role: 'admin' },
  rotate: { role: 'admin' },
  revoke: { role: 'admin' },
  remove: { role: 'admin' },
  ban: { role: 'admin' },
  lift: { role: 'admin' },
  leave: { device: 'own' },
  recorded: { from: 'the file of revocations' },
} as const satisfies Senders<DeviceEvent>;
