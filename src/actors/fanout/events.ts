import type { Senders, VerifiedCaller } from '../../kernel/authority.js';
import type { FanoutMember } from './record.js';

/** What is known of targets, by device id. */
export type MemberNews = ReadonlyMap<string, Partial<FanoutMember>>;

/** Events of a fan-out. */
export type FanoutEvent =
  /** What has become of the targets, as the store and the dispatches say. */
  | { type: 'recalled'; members: MemberNews }
  | { type: 'started'; deviceId: string; dispatchId: string }
  /** A target has ended, or never started. */
  | { type: 'ended'; deviceId: string; end: Partial<FanoutMember> }
  | { type: 'cancel'; caller: VerifiedCaller; reason: string };

/** Who sends each of them. */
export const fanoutSenders = {
  recalled: { from: 'the store' },
  started: { from: 'the admission of its dispatches' },
  ended: { from: 'the dispatch of the target, or its admission' },
  cancel: { role: 'invoker' },
} as const satisfies Senders<FanoutEvent>;
