import type { Senders, VerifiedCaller } from '../../kernel/authority.js';
import type { Reply } from '../../kernel/directory.js';
import type { PairingRecord, RequestedCapability } from './record.js';

/** What a proven Begin exchange brought. */
export type PairingProof = Pick<
  PairingRecord,
  | 'codeId'
  | 'transcript'
  | 'csr'
  | 'csrDigest'
  | 'surfaceDigest'
  | 'facts'
  | 'peerAddress'
  | 'purpose'
  | 'labels'
  | 'returning'
>;

/** Answers the sender of an event: with the record as it is now, or with why not. */
export type PairingReply = Reply<PairingRecord>;

/** Events of a pairing. Those that need permission carry the caller that an adapter verified. */
export type PairingEvent =
  | { type: 'prove'; caller: VerifiedCaller; proof: PairingProof; reply: PairingReply }
  | {
      type: 'submit';
      caller: VerifiedCaller;
      requested: readonly RequestedCapability[];
      proposedName: string;
      reply: PairingReply;
    }
  | {
      type: 'approve';
      caller: VerifiedCaller;
      transcript: string;
      name: string;
      reason: string;
      reply: PairingReply;
    }
  | { type: 'reject'; caller: VerifiedCaller; transcript: string; reason: string; reply: PairingReply }
  | { type: 'cancel'; caller: VerifiedCaller; reason: string; reply: PairingReply }
  | { type: 'confirm'; caller: VerifiedCaller; reply: PairingReply }
  | { type: 'alert'; message: string }
  | { type: 'expire' };

/** The policy by which a known device may come back without an operator's word, as it is named in palyra.yaml. */
export const returnPolicyName = 'pairing.return';

/** Who sends each of them. */
export const pairingSenders = {
  prove: { device: 'own' },
  submit: { device: 'own' },
  approve: { role: 'approver', policy: returnPolicyName },
  reject: { role: 'approver' },
  cancel: { role: 'approver' },
  confirm: { device: 'own' },
  alert: { from: 'the daemon' },
  expire: { from: 'its deadline' },
} as const satisfies Senders<PairingEvent>;
