import type { AppError } from '../../kernel/errors.js';
import type { Cause } from '../../kernel/journal.js';
import type { DeviceRecord } from '../device/record.js';
import { sessionError } from '../errors.js';
import { newId } from '../ids.js';
import type { Arrival } from './events.js';
import { moveClone } from './machine.js';
import type { CloneCase, DeviceTicket } from './record.js';
import { isRightTicket, offering, ticketHash } from './ticket.js';

/** A host that asks for a session. */
export interface Newcomer {
  /** The ticket that it shows, base64url; '' when it has none. */
  readonly ticket: string;
  /** What its process calls itself, hex; '' for nothing. */
  readonly instance: string;
  readonly address: string;
  readonly hostname: string;
}

/** What becomes of a host that asks for a session, and of the device's record with it. */
export interface Verdict {
  readonly clones: readonly CloneCase[];
  readonly ticket: DeviceTicket;
  /** Why it gets none; undefined when it gets one. */
  readonly refusal: AppError | undefined;
  /** Whether what is in flight can be settled by what the host says of it (protocol.md 20). */
  readonly ticketMatches: boolean;
  /** The case that it is, when something about it has changed that an operator should see. */
  readonly alarm: CloneCase | undefined;
  /** For the device's journal; undefined for what explains nothing. */
  readonly cause: Cause | undefined;
}

/** Cases that are kept of a device. A holder of its key could make any number. */
export const maxClones = 8;

/**
 * Whether a host that asks for a session is the device that the daemon knew, and what becomes of it if it is not
 * (protocol.md 17): it waits while the other host answers, is let in with an alarm where nobody does, and does as an operator
 * decided about it.
 *
 * @param otherAnswers whether the session that the device has answered a ping, so that this host is a second one.
 * @param given the ticket that it gets if it gets a session, base64url.
 * @param now milliseconds since the epoch.
 */
export function judgeArrival(
  device: DeviceRecord,
  newcomer: Newcomer,
  otherAnswers: boolean,
  given: string,
  now: number,
): Verdict {
  const isRight = isRightTicket(device.ticket, newcomer);
  const known = findCase(device.clones, newcomer, isRight);
  const arrival: Arrival = { ...newcomer, ticket: ticketHash(newcomer.ticket) };
  const wasLetIn = known?.state === 'replacing' || known?.state === 'allowing';
  if (known?.state === 'rejected') return refuse(device, known, arrival, now);
  if (!wasLetIn && otherAnswers) {
    const waiting = known ?? firstSeen(device, isRight, arrival, now);
    return refuse(device, waiting, arrival, now, known === undefined ? 'new' : known.state);
  }
  const isInOrder = isRight && known?.state !== 'waiting' && !wasLetIn;
  if (isInOrder) {
    const matches = device.ticket.broken === undefined;
    const ticket = offering(device.ticket, newcomer, given, matches);
    return {
      clones: followed(device.clones, newcomer, arrival, ticketHash(given), now),
      ticket,
      refusal: undefined,
      ticketMatches: matches,
      alarm: undefined,
      cause: undefined,
    };
  }
  const before = known ?? firstSeen(device, isRight, arrival, now);
  const event = { type: 'admitted', arrival, before: device.ticket, given: ticketHash(given) } as const;
  const admitted = moveClone(known === undefined ? 'new' : known.state, before, event, now);
  const others = device.clones.map((one) => (one.id === admitted.id ? one : ousted(one, now)));
  const clones = withCase(others, admitted);
  // So many others that there is no room for one more: nobody can say which of them is the device.
  if (!clones) return refuse(device, before, arrival, now, 'new');
  return {
    clones,
    ticket: offering(device.ticket, newcomer, given, false),
    refusal: undefined,
    ticketMatches: false,
    alarm: admitted,
    cause: causeOf(device, admitted),
  };
}

function refuse(
  device: DeviceRecord,
  known: CloneCase,
  arrival: Arrival,
  now: number,
  state: CloneCase['state'] | 'new' = known.state,
): Verdict {
  const came = moveClone(state, known, { type: 'came', arrival }, now);
  const isNew = state !== came.state;
  return {
    clones: withCase(device.clones, came) ?? device.clones,
    ticket: device.ticket,
    refusal: came.state === 'rejected' ? turnedAway(device, came) : hasToWait(device),
    ticketMatches: false,
    alarm: isNew ? came : undefined,
    cause: isNew ? causeOf(device, came) : undefined,
  };
}

/** The case of a host: by its process, else by a ticket that only copies and restored disks can show. */
function findCase(
  clones: readonly CloneCase[],
  { instance, ticket }: Newcomer,
  isRight: boolean,
): CloneCase | undefined {
  const byProcess = clones.find((one) => instance !== '' && one.instance === instance);
  if (byProcess || isRight) return byProcess;
  const hash = ticketHash(ticket);
  // One that is the device by now is not asking with a ticket of the past: another copy of what it was may be.
  const byTicket = clones.filter(
    (one) => !isIn(one) && (one.tickets.includes(hash) || one.given.includes(hash)),
  );
  // Two hosts may have the same ticket: who can't be told from one that was turned away is turned away.
  return byTicket.find(({ state }) => state === 'rejected') ?? byTicket.at(-1);
}

function isIn({ state }: CloneCase): boolean {
  return state === 'admitted' || state === 'allowed' || state === 'replaced';
}

/**
 * The cases when a host opens a session as the daemon expects. One that was let in before and waits for a decision is either
 * that host, which shows what only it was given, or has lost the session to it.
 */
function followed(
  clones: readonly CloneCase[],
  { ticket, instance }: Newcomer,
  arrival: Arrival,
  given: string,
  now: number,
): readonly CloneCase[] {
  if (!clones.some(({ state }) => state === 'admitted')) return clones;
  const hash = ticketHash(ticket);
  return clones.map((one) => {
    if (one.state !== 'admitted') return one;
    const goesOn = one.given.includes(hash) || (instance !== '' && one.instance === instance);
    return goesOn ? moveClone(one.state, one, { type: 'continued', arrival, given }, now) : ousted(one, now);
  });
}

function ousted(clone: CloneCase, now: number): CloneCase {
  return clone.state === 'admitted' ? moveClone(clone.state, clone, { type: 'ousted' }, now) : clone;
}

/**
 * Why a host that is seen for the first time is not the one that was known. After a restore the device itself shows a ticket
 * that is in no record, once; any other host that does so later is as suspicious as ever.
 */
function firstSeen(device: DeviceRecord, isRight: boolean, arrival: Arrival, now: number): CloneCase {
  const { restoredFrom } = device.ticket;
  if (isRight) return makeCase('two_hosts', arrival, now);
  if (restoredFrom === undefined) return makeCase('older_state', arrival, now);
  return { ...makeCase('after_restore', arrival, now), backupAt: restoredFrom };
}

/** A host that is seen for the first time. */
export function makeCase(kind: CloneCase['kind'], arrival: Arrival, now: number): CloneCase {
  const { ticket, instance, address, hostname } = arrival;
  return {
    id: newId('cl', now),
    state: 'waiting',
    kind,
    tickets: [ticket],
    given: [],
    instance,
    address,
    hostname,
    firstSeenAt: now,
    lastSeenAt: now,
    attempts: 0,
  };
}

/** The cases with one that is new or has changed; undefined when there is no room for a new one. */
export function withCase(clones: readonly CloneCase[], changed: CloneCase): readonly CloneCase[] | undefined {
  if (clones.some(({ id }) => id === changed.id)) {
    return clones.map((one) => (one.id === changed.id ? changed : one));
  }
  if (clones.length < maxClones) return [...clones, changed];
  const oldest = [...clones].sort((a, b) => a.lastSeenAt - b.lastSeenAt);
  const over =
    oldest.find(({ state }) => state === 'replaced' || state === 'allowed') ??
    oldest.find(({ state }) => state === 'rejected');
  return over && [...clones.filter((one) => one !== over), changed];
}

function causeOf({ id }: DeviceRecord, clone: CloneCase): Cause {
  const where = `${clone.hostname || 'a host'} from ${clone.address}`;
  return { event: `clone.${clone.state}`, by: `device:${id}`, note: `${clone.id}, ${where}` };
}

function hasToWait({ name }: DeviceRecord): AppError {
  return sessionError(
    'clone_waiting',
    'Another host with the identity of this one is connected, and answers',
    {
      hint: `An operator has to decide which of the two is the device: palyra devices clone ${name}. If this one is a copy, stop it, empty its state directory and pair it as a machine of its own.`,
    },
  );
}

function turnedAway({ name }: DeviceRecord, { decision }: CloneCase): AppError {
  const why = decision === undefined || decision.reason === '' ? '' : `: ${decision.reason}`;
  return sessionError('clone_rejected', `An operator turned this host away${why}`, {
    hint: `Another host is the device. Empty the state directory of this one and pair it as a machine of its own, or ask the operator: palyra devices clone ${name} allow.`,
  });
}
