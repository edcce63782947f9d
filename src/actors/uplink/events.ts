import type { Senders } from '../../kernel/authority.js';
import type { AppError } from '../../kernel/errors.js';
import type { ShutdownEvent } from '../../kernel/lifecycle.js';
import type { DaemonFrame, Registered } from '../link/frames.js';

export type UplinkEvent =
  | { type: 'registered'; link: number; registered: Registered }
  | { type: 'frame'; link: number; frame: DaemonFrame }
  | { type: 'ended'; link: number; error: AppError | undefined }
  | { type: 'ticket.stored'; link: number }
  | { type: 'certificate.changed' }
  | { type: 'offer.changed' }
  | { type: 'deadline' }
  | ShutdownEvent;

/** Who sends each of them. */
export const uplinkSenders = {
  registered: { from: 'the daemon' },
  frame: { from: 'the daemon' },
  ended: { from: 'the connection' },
  'ticket.stored': { from: 'the store' },
  'certificate.changed': { from: 'the renewal of the certificate' },
  'offer.changed': { from: 'the plugins of the node' },
  deadline: { from: 'its deadline' },
  'kernel.shutdown': { from: 'its supervisor' },
} as const satisfies Senders<UplinkEvent>;
