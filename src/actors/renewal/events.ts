import type { Senders } from '../../kernel/authority.js';
import type { AppError } from '../../kernel/errors.js';
import type { ShutdownEvent } from '../../kernel/lifecycle.js';
import type { ReturnGrant } from './grant.js';

/** `step` names what an answer is to: one of an earlier step is not heard. */
export type RenewalEvent =
  | { type: 'line.live'; fingerprint: string }
  | { type: 'order'; reason: string }
  | { type: 'certificate.refused' }
  | { type: 'certificate.doubted' }
  | { type: 'prepared'; step: number }
  | { type: 'pending'; step: number; pairingId: string }
  | { type: 'granted'; step: number; grant: ReturnGrant }
  | { type: 'stored'; step: number }
  | { type: 'confirmed'; step: number }
  | { type: 'failed'; step: number; error: AppError }
  | { type: 'deadline' }
  | ShutdownEvent;

/** Who sends each of them. */
export const renewalSenders = {
  'line.live': { from: 'the uplink' },
  order: { from: 'the daemon' },
  'certificate.refused': { from: 'the uplink' },
  'certificate.doubted': { from: 'the uplink' },
  prepared: { from: 'the disk' },
  pending: { from: 'the daemon' },
  granted: { from: 'the daemon' },
  stored: { from: 'the disk' },
  confirmed: { from: 'the daemon' },
  failed: { from: 'the disk or the daemon' },
  deadline: { from: 'its deadline' },
  'kernel.shutdown': { from: 'its supervisor' },
} as const satisfies Senders<RenewalEvent>;
