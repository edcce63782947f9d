import type { Senders } from '../../kernel/authority.js';
import type { ShutdownEvent } from '../../kernel/lifecycle.js';

/** `until` is when a remembered answer ends, milliseconds since the epoch; undefined: there is none. */
export type MediationEvent =
  | { type: 'recalled'; until: number | undefined }
  | { type: 'turn' }
  | { type: 'allow'; rememberMs: number | undefined }
  | { type: 'deny' }
  | { type: 'nobody'; reason: string }
  | { type: 'kept'; until: number | undefined }
  | { type: 'withdraw' }
  | { type: 'deadline' }
  | ShutdownEvent;

/** Who sends each of them. */
export const mediationSenders = {
  recalled: { from: 'the store' },
  turn: { from: 'the line of questions' },
  allow: { from: 'the person at the node' },
  deny: { from: 'the person at the node' },
  nobody: { from: 'whoever shows the question' },
  kept: { from: 'the store' },
  withdraw: { from: 'its execution' },
  deadline: { from: 'its deadline' },
  'kernel.shutdown': { from: 'its supervisor' },
} as const satisfies Senders<MediationEvent>;
