export const cloneStates = [
  'waiting',
  'admitted',
  'replacing',
  'allowing',
  'replaced',
  'allowed',
  'rejected',
] as const;
export type CloneState = (typeof cloneStates)[number];

/** What an operator decides about a host that came with a device's identity. */
export const cloneActions = ['replace', 'reject', 'allow'] as const;
export type CloneAction = (typeof cloneActions)[number];

/**
 * A host that came with the identity of a device and can't be the host that the daemon knew: a clone, or the device itself
 * restored from a copy. Kept in the device's record. Times are milliseconds since the epoch.
 */
export interface CloneCase {
  readonly id: string;
  readonly state: CloneState;
  /**
   * `two_hosts`: it showed a right ticket while the other host answered. `older_state`: it showed a ticket of the past.
   * `after_restore`: it was the first to show a ticket that a restored daemon does not know; the device itself does so once.
   * `displaced`: it was the device until an operator put another host in its place.
   */
  readonly kind: 'two_hosts' | 'older_state' | 'after_restore' | 'displaced';
  /** For `after_restore`: when the backup was made. */
  readonly backupAt?: number;
  /** SHA-256 of each ticket that it has shown, lower-case hex: it is known by them after a restart. */
  readonly tickets: readonly string[];
  /** SHA-256 of each ticket that it was given since it was let in: nobody else has them. */
  readonly given: readonly string[];
  /** What its process called itself last, hex: it is known by that for as long as the process lives. '' for none. */
  readonly instance: string;
  readonly address: string;
  readonly hostname: string;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  /** How often it has asked. */
  readonly attempts: number;
  /** What the host before it showed, while this one is let in and nobody has decided: a rejection brings it back. */
  readonly before?: DeviceTicket;
  readonly decision?: {
    readonly action: CloneAction;
    readonly by: string;
    readonly at: number;
    readonly reason: string;
  };
}

/**
 * How the daemon tells a device's disk from a copy of it: the session ticket that the node last confirmed, and the one that
 * was handed out since; base64url.
 */
export interface DeviceTicket {
  readonly confirmed?: string;
  readonly offered?: string;
  /**
   * A host that did not show them has opened a session since, and none has gone live, so nothing has been settled with it yet.
   */
  readonly broken?: true;
  /** What the process called itself that confirmed the ticket, hex. */
  readonly holder?: string;
  /**
   * The record is from a backup that was made then, and no host has opened a session since: tickets that were given after it are
   * not known.
   */
  readonly restoredFrom?: number;
  /** A copy shows the confirmed ticket too, and was rejected: it counts from its holder only, until the next one. */
  readonly holderOnly?: true;
}

/** Whether a host is yet to be decided on by an operator. */
export function isOpenCase({ state }: Pick<CloneCase, 'state'>): boolean {
  return state === 'waiting' || state === 'admitted';
}
