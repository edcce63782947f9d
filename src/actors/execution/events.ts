import type { Senders } from '../../kernel/authority.js';
import type { AppError } from '../../kernel/errors.js';
import type { ShutdownEvent } from '../../kernel/lifecycle.js';
import type { Permission, Verdict } from '../mediation/permission.js';

export type ExecutionEvent =
  | { type: 'waits' }
  | { type: 'allowed'; permission: Permission }
  | { type: 'denied' }
  | { type: 'nobody'; reason: string }
  | { type: 'unanswered' }
  | { type: 'journaled' }
  | { type: 'succeeded'; output: Uint8Array }
  | { type: 'failed'; error: AppError }
  | { type: 'cancel'; reason: string }
  | { type: 'deadline' }
  | ShutdownEvent;

/** Who sends each of them. */
export const executionSenders = {
  waits: { from: 'its question' },
  allowed: { from: 'its question' },
  denied: { from: 'its question' },
  nobody: { from: 'its question' },
  unanswered: { from: 'its question' },
  journaled: { from: 'the store' },
  succeeded: { from: 'the handler' },
  failed: { from: 'the handler' },
  cancel: { from: 'the daemon' },
  deadline: { from: 'its deadline' },
  'kernel.shutdown': { from: 'its supervisor' },
} as const satisfies Senders<ExecutionEvent>;

/** What came of its question, as an event. */
export function eventOf(verdict: Verdict): ExecutionEvent {
  switch (verdict.kind) {
    case 'allowed':
      return { type: 'allowed', permission: verdict.permission };
    case 'nobody':
      return { type: 'nobody', reason: verdict.reason };
    default:
      return { type: verdict.kind };
  }
}
