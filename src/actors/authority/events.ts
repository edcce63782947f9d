import type { Senders, VerifiedCaller } from '../../kernel/authority.js';
import type { Reply } from '../../kernel/directory.js';
import type { AuthorityRecord } from './record.js';

export type AuthorityReply = Reply<AuthorityRecord>;

/** `step` names what an answer is to. */
export type AuthorityEvent =
  | { type: 'rotate'; caller: VerifiedCaller; overlapMs: number; reason: string; reply: AuthorityReply }
  | { type: 'forget'; caller: VerifiedCaller; fingerprint: string; reason: string; reply: AuthorityReply }
  | { type: 'device.moved' }
  | { type: 'made'; step: number; fingerprint: string }
  | { type: 'saved'; step: number; record: AuthorityRecord }
  | { type: 'failed'; step: number; error: unknown }
  | { type: 'deadline' };

/** Who sends each of them. */
export const authoritySenders = {
  rotate: { role: 'admin' },
  forget: { role: 'admin' },
  'device.moved': { from: 'the session of a node' },
  made: { from: 'the disk' },
  saved: { from: 'the store' },
  failed: { from: 'the disk or the store' },
  deadline: { from: 'its deadline' },
} as const satisfies Senders<AuthorityEvent>;
