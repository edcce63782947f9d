import type { Senders, VerifiedCaller } from '../../kernel/authority.js';
import type { SurfaceApproval } from '../device/record.js';

/** What an operator decides about one capability of one device. */
export interface SurfaceDecisionEvent {
  readonly type: 'approve' | 'reject' | 'revoke';
  readonly caller: VerifiedCaller;
  readonly reason: string;
}

/** Events of one capability that a device offers. */
export type SurfaceEvent =
  | SurfaceDecisionEvent
  /** It asks for no more than what was approved before: that approval covers it. */
  | { readonly type: 'follow'; readonly from: SurfaceApproval };

/** Who sends each of them. */
export const surfaceSenders = {
  approve: { role: 'approver' },
  reject: { role: 'approver' },
  revoke: { role: 'approver' },
  follow: { from: 'the daemon' },
} as const satisfies Senders<SurfaceEvent>;
