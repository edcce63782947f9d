import { createHash } from 'node:crypto';
import type { DeviceTicket } from './record.js';

/** What a host shows of its disk and of itself. */
export interface Shown {
  /** The ticket, base64url; '' when it has none. */
  readonly ticket: string;
  /** What its process calls itself, hex; '' for nothing. */
  readonly instance: string;
}

/** A ticket as a case keeps it: a hash, since it may be worth something yet. */
export function ticketHash(ticket: string): string {
  return createHash('sha256').update(ticket).digest('hex');
}

/** Whether a host shows that it has the device's disk as it is now. */
export function isRightTicket(
  { confirmed, offered, holder, holderOnly }: DeviceTicket,
  shown: Shown,
): boolean {
  // A device that was never given one here may still hold another daemon's.
  if (confirmed === undefined && (shown.ticket === '' || offered === undefined)) return true;
  if (shown.ticket === '') return false;
  if (shown.ticket === offered) return true;
  return shown.ticket === confirmed && (holderOnly === undefined || shown.instance === holder);
}

/**
 * The device's ticket when a session opens: the one that the node has just shown stays right beside the new one, until it
 * has confirmed that.
 *
 * @param given the new one, base64url.
 * @param matches whether what is in flight can be settled by what the host says of it.
 */
export function offering(ticket: DeviceTicket, shown: Shown, given: string, matches: boolean): DeviceTicket {
  const { confirmed, holder, holderOnly } = ticket;
  const kept: DeviceTicket =
    shown.ticket !== '' && shown.ticket === ticket.offered
      ? { confirmed: shown.ticket, holder: shown.instance }
      : {
          ...(confirmed === undefined ? {} : { confirmed }),
          ...(holder === undefined ? {} : { holder }),
          ...(holderOnly === undefined ? {} : { holderOnly }),
        };
  return { ...kept, offered: given, ...(matches ? {} : { broken: true }) };
}
