import type { Senders, VerifiedCaller } from '../../kernel/authority.js';
import type { CloneAction, DeviceTicket } from './record.js';

/** A host, as it shows itself when it asks for a session. */
export interface Arrival {
  /** SHA-256 of the ticket, hex. */
  readonly ticket: string;
  /** Hex; '' when it has none. */
  readonly instance: string;
  readonly address: string;
  readonly hostname: string;
}

/** Events of a host that came with the identity of a device. */
export type CloneEvent =
  /** It asks for a session and does not get one. */
  | { type: 'came'; arrival: Arrival }
  /** It gets its session. */
  | { type: 'admitted'; arrival: Arrival; before: DeviceTicket; given: string }
  | { type: CloneAction; caller: VerifiedCaller; reason: string }
  /** It goes on under the ticket that it was given. */
  | { type: 'continued'; arrival: Arrival; given: string }
  /** Another host gets the session. */
  | { type: 'ousted' }
  /** An operator put another host in its place. */
  | { type: 'displaced'; by: string; reason: string }
  /** An operator turned the other host away, so this one is the device. */
  | { type: 'settled'; by: string; reason: string };

/** Who sends each of them. */
export const cloneSenders = {
  came: { from: 'the host' },
  admitted: { from: 'the session that it opens' },
  replace: { role: 'admin' },
  reject: { role: 'admin' },
  allow: { role: 'admin' },
  continued: { from: 'the session that it opens' },
  ousted: { from: 'the session of another host' },
  displaced: { from: 'the decision about another host' },
  settled: { from: 'the decision about another host' },
} as const satisfies Senders<CloneEvent>;
