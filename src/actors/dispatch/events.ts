import type { Senders, VerifiedCaller } from '../../kernel/authority.js';
import type { CancelOutcome, InFlightPhase, NodeResult } from '../link/frames.js';

/** What the node knew of a dispatch when its session opened; `none` when Hello did not name it. */
export type SettlePhase = InFlightPhase | 'none';

/** Events of a dispatch. Those of the node come from its current session only. */
export type DispatchEvent =
  | { type: 'settle'; epoch: number; phase: SettlePhase; ticketMatches: boolean }
  | { type: 'recorded' }
  | { type: 'delivered'; at: number }
  | { type: 'session.lost' }
  | { type: 'started' }
  | { type: 'mediation'; waiting: boolean }
  | { type: 'result'; result: NodeResult }
  | { type: 'cancel'; caller: VerifiedCaller; reason: string }
  | { type: 'cancel.outcome'; outcome: CancelOutcome['outcome'] }
  | { type: 'device.barred' }
  | { type: 'deadline' };

const session = { from: 'the session of its node' } as const;

/** Who sends each of them. */
export const dispatchSenders = {
  settle: session,
  recorded: { from: 'the store' },
  delivered: session,
  'session.lost': session,
  started: session,
  mediation: session,
  result: session,
  cancel: { role: 'invoker' },
  'cancel.outcome': session,
  'device.barred': { from: 'the decision about its device' },
  deadline: { from: 'its deadline' },
} as const satisfies Senders<DispatchEvent>;
