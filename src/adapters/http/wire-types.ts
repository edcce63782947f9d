/** The names under which the daemon's records hold a time as milliseconds since the epoch. */
type TimeKey =
  | 'approvedAt'
  | 'at'
  | 'backupAt'
  | 'certificateExpiresAt'
  | 'connectedSince'
  | 'createdAt'
  | 'deliverBy'
  | 'deliveredAt'
  | 'endsAt'
  | 'expiresAt'
  | 'finishedAt'
  | 'firstSeenAt'
  | 'lastSeenAt'
  | 'latestEnd'
  | 'lockedAt'
  | 'notAfter'
  | 'notBefore'
  | 'since'
  | 'startedAt'
  | 'updatedAt';

/** A view of the daemon as JSON of the API: times are texts, everything is read-only. */
type AsWire<T> = unknown extends T
  ? T
  : T extends readonly (infer Item)[]
    ? readonly AsWire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Key extends TimeKey ? string : AsWire<T[Key]> }
      : T;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/**
 * The type of a function that turns a view of the daemon into a body of the API. It is `never` when the contract and the
 * daemon disagree about a field, so that neither can change alone.
 */
export type BodyOf<View, Body> = Same<AsWire<View>, AsWire<Body>> extends true ? (view: View) => Body : never;

/** A time as the API writes it: RFC 3339 in UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
