import { callerLabel, type VerifiedCaller } from '../../kernel/authority.js';
import type { DeviceRecord } from '../device/record.js';
import { deviceError } from '../errors.js';
import { makeCase, withCase } from './arrival.js';
import { cloneActionsIn, moveClone } from './machine.js';
import { type CloneAction, type CloneCase, type DeviceTicket, isOpenCase } from './record.js';
import { ticketHash } from './ticket.js';

/** What an operator decides about a host that came with a device's identity. */
export interface CloneDecision {
  readonly action: CloneAction;
  readonly caller: VerifiedCaller;
  readonly reason: string;
  /** The case; left out when one host waits for a decision. */
  readonly clone?: string;
}

/** What a decision changes. */
export interface DecidedClone {
  readonly clone: CloneCase;
  readonly clones: readonly CloneCase[];
  readonly ticket: DeviceTicket;
  /** How the session that the device has is to end; undefined when it goes on. */
  readonly ends: 'replaced' | 'reconnect' | undefined;
}

/**
 * What becomes of a device's hosts by an operator's decision.
 *
 * @param worthless a ticket that nobody has, base64url: it takes the place of one that no longer counts.
 * @param now milliseconds since the epoch.
 * @throws AppError `device.no_clone`, `device.ambiguous_clone`, and what {@link moveClone} throws.
 */
export function decideClone(
  device: DeviceRecord,
  { action, caller, reason, clone: id }: CloneDecision,
  worthless: string,
  now: number,
): DecidedClone {
  const chosen = choose(device, id, action);
  const clone = moveClone(chosen.state, chosen, { type: action, caller, reason }, now);
  const clones = withCase(device.clones, clone) ?? device.clones;
  const about = { by: callerLabel(caller), reason };
  const same = { clone, clones, ticket: device.ticket, ends: undefined };
  const isIn = chosen.state === 'admitted';
  if (action === 'replace') {
    const other = isIn ? (chosen.before ?? {}) : device.ticket;
    return {
      clone,
      clones: displace(device, clones, clone, other, about, now),
      ticket: isIn ? device.ticket : { confirmed: worthless },
      ends: isIn ? undefined : 'replaced',
    };
  }
  if (action === 'allow') return same;
  if (isIn) return { ...same, ticket: restored(chosen.before ?? { confirmed: worthless }), ends: 'replaced' };
  const settled = clones.map((one) =>
    one.state === 'admitted' ? moveClone(one.state, one, { type: 'settled', ...about }, now) : one,
  );
  // The copy shows the same ticket as the device: that counts from the device's process only, which gets another at once.
  const { confirmed } = device.ticket;
  const isShared = confirmed !== undefined && chosen.tickets.includes(ticketHash(confirmed));
  if (!isShared) return { ...same, clones: settled };
  return { ...same, clones: settled, ticket: { ...device.ticket, holderOnly: true }, ends: 'reconnect' };
}

/** @throws AppError `device.no_clone`, `device.ambiguous_clone`. */
function choose(device: DeviceRecord, id: string | undefined, action: CloneAction): CloneCase {
  const { clones, name } = device;
  const open = clones.filter(isOpenCase);
  const decidable = clones.filter(({ state }) => cloneActionsIn(state).includes(action));
  const candidates =
    id === undefined ? (open.length > 0 ? open : decidable) : clones.filter((one) => one.id === id);
  const [first, second] = candidates;
  if (first === undefined) {
    throw deviceError(
      'no_clone',
      `No other host of ${name} waits for a decision${id === undefined ? '' : ` as ${id}`}`,
      {
        hint: `See what has come: palyra devices show ${name}`,
      },
    );
  }
  if (second === undefined) return first;
  throw deviceError('ambiguous_clone', `${candidates.length} other hosts of ${name} can be decided on`, {
    fields: [{ field: 'clone', message: `may be ${candidates.map((one) => one.id).join(' or ')}` }],
    hint: 'Name the one that you mean.',
  });
}

/** Turns the host away that had been the device. */
function displace(
  device: DeviceRecord,
  clones: readonly CloneCase[],
  winner: CloneCase,
  other: DeviceTicket,
  about: { readonly by: string; readonly reason: string },
  now: number,
): readonly CloneCase[] {
  const tickets = [other.confirmed, other.offered].filter((one) => one !== undefined).map(ticketHash);
  const instance = other.holder ?? '';
  const isOther = (one: CloneCase): boolean =>
    one.id !== winner.id &&
    ((instance !== '' && one.instance === instance) ||
      [...one.tickets, ...one.given].some((ticket) => tickets.includes(ticket)));
  const event = { type: 'displaced', ...about } as const;
  const known = clones.filter(isOther);
  if (known.length > 0) {
    return clones.map((one) => (isOther(one) ? moveClone(one.state, one, event, now) : one));
  }
  if (tickets.length === 0) return clones;
  const [ticket = ''] = tickets;
  const arrival = { ticket, instance, address: '', hostname: device.facts.hostname };
  const made = { ...makeCase('displaced', arrival, now), tickets };
  return withCase(clones, moveClone('new', made, event, now)) ?? clones;
}

/** What counted before a host was let in that is turned away now. Its being in has settled nothing. */
function restored({ confirmed, offered, holder }: DeviceTicket): DeviceTicket {
  return {
    ...(confirmed === undefined ? {} : { confirmed }),
    ...(offered === undefined ? {} : { offered }),
    ...(holder === undefined ? {} : { holder }),
    broken: true,
  };
}
