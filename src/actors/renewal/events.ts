import type { Senders } from '../../kernel/authority.js';
import type { AppError } from '../../kernel/errors.js';
import type { ShutdownEvent } from '../../kernel/lifecycle.js';
import type { Grant } from '../device/renewals.js';

/** `step` names what an answer is to: one of an earlier step is not heard. */
export type RenewalEvent =
  | { type: 'line.live'; fingerprint: string }
  | { type: 'order'; reason: string }
  | { type: 'prepared'; step: number }
  | { type: 'granted'; step: number; grant: Grant }
  | { type: 'stored'; step: number }
  | { type: 'failed'; step: number; error: AppError }
  | { type: 'deadline' }
  | ShutdownEvent;

/** Who sends each of them. */
export const renewalSenders = {
  'line.live': { from: 'the uplink' },
  order: { from: 'the daemon' },
  prepared: { from: 'the disk' },
  granted: { from: 'the daemon' },
  stored: { from: 'the disk' },
  failed: { from: 'the disk or the daemon' },
  deadline: { from: 'its deadline' },
  'kernel.shutdown': { from: 'its supervisor' },
} as const satisfies Senders<RenewalEvent>;
