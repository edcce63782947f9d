/**
 * What one CA of this daemon is good for. `issuing`: certificates of nodes are of it. `trusted`: those that are of it are still
 * accepted, while nodes move to the one that is issuing. `retired`: nothing is issued by it and no node gets in with it; the
 * daemon can still prove itself to a node that knows no other.
 */
export const caStates = ['issuing', 'trusted', 'retired'] as const;
export type CaState = (typeof caStates)[number];

export interface CaEntry {
  /** SHA-256 of the CA certificate, hex. */
  readonly fingerprint: string;
  readonly state: CaState;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** A rotation under way. Times are milliseconds since the epoch. */
export interface Rotation {
  readonly by: string;
  readonly reason: string;
  readonly startedAt: number;
  /** When the CA before is retired, whoever has not moved by then. */
  readonly endsAt: number;
}

/** The one record of its kind. */
export const authorityId = 'ca';

/** How the CAs of this daemon stand. Kind `authority`. */
export interface AuthorityRecord {
  readonly id: string;
  readonly version: number;
  /** `overlap`: nodes move from one CA to the next, and both are trusted. */
  readonly state: 'steady' | 'overlap';
  /** Oldest first; exactly one is issuing, and those before it are trusted in an overlap. */
  readonly cas: readonly CaEntry[];
  readonly rotation?: Rotation | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What each CA is for at this moment, by fingerprint. */
export interface Standing {
  /** Issues the certificates of nodes. */
  readonly issuing: string;
  /** Certificates of nodes that are of one of these are accepted; the issuing one first. */
  readonly trusted: readonly string[];
  /** Of it is the daemon's own certificate for whoever does not say which CA they know. */
  readonly serving: string;
}

export function standingOf({ cas }: Pick<AuthorityRecord, 'cas'>): Standing {
  const of = (state: CaState): readonly string[] =>
    cas.filter((ca) => ca.state === state).map(({ fingerprint }) => fingerprint);
  const [issuing = ''] = of('issuing');
  const trusted = of('trusted');
  // Whoever knows only the one before must still recognise the daemon.
  return { issuing, trusted: [issuing, ...trusted], serving: trusted.at(-1) ?? issuing };
}

/** The record of a daemon that has none. @param fingerprints of the CAs on its disk, oldest first: the newest one issues. */
export function firstRecord(fingerprints: readonly string[], now: number): AuthorityRecord {
  const cas = fingerprints.map((fingerprint, at): CaEntry => {
    return { fingerprint, state: at === fingerprints.length - 1 ? 'issuing' : 'retired', since: now };
  });
  return { id: authorityId, version: 0, state: 'steady', cas, createdAt: now, updatedAt: now };
}

/**
 * The record as the disk bears it out. When a CA is on the disk and not in the record, a rotation was begun and not recorded:
 * the daemon died in between, or its database is of before that, out of a backup. So the rotation goes on. One that is not on
 * the disk any more is nothing.
 *
 * @param onDisk fingerprints, oldest first
 */
export function borneOut(
  record: AuthorityRecord,
  onDisk: readonly string[],
  now: number,
  overlapMs: number,
): AuthorityRecord {
  const there = record.cas.filter(({ fingerprint }) => onDisk.includes(fingerprint));
  const recorded = new Set(there.map(({ fingerprint }) => fingerprint));
  const newer = onDisk.filter((fingerprint) => !recorded.has(fingerprint));
  if (newer.length === 0 && there.length === record.cas.length) return record;
  const reason = 'the disk has a CA that the record does not know';
  const rotation = { by: 'system:daemon', reason, startedAt: now, endsAt: now + overlapMs };
  const before = { ...record, cas: withIssuing(there, now), updatedAt: now };
  return newer.reduce((next, fingerprint) => rotated(next, fingerprint, rotation), before);
}

/** The newest one issues when that which did is gone. */
function withIssuing(cas: readonly CaEntry[], now: number): readonly CaEntry[] {
  if (cas.some(({ state }) => state === 'issuing')) return cas;
  return cas.map((ca, at) => (at === cas.length - 1 ? { ...ca, state: 'issuing', since: now } : ca));
}

/** The record when a new CA begins to issue and the one before stays trusted. */
export function rotated(record: AuthorityRecord, fingerprint: string, rotation: Rotation): AuthorityRecord {
  const { startedAt: now } = rotation;
  const before = record.cas.map((ca): CaEntry => {
    return ca.state === 'issuing' ? { ...ca, state: 'trusted', since: now } : ca;
  });
  const cas = [...before, { fingerprint, state: 'issuing' as const, since: now }];
  return { ...record, state: 'overlap', cas, rotation, updatedAt: now };
}

/** The record when the overlap is over. */
export function closed(record: AuthorityRecord, now: number): AuthorityRecord {
  const cas = record.cas.map((ca): CaEntry => {
    return ca.state === 'trusted' ? { ...ca, state: 'retired', since: now } : ca;
  });
  return { ...record, state: 'steady', cas, rotation: undefined, updatedAt: now };
}

/** The record without a retired CA. */
export function without(record: AuthorityRecord, fingerprint: string, now: number): AuthorityRecord {
  const cas = record.cas.filter((ca) => ca.fingerprint !== fingerprint);
  return { ...record, cas, updatedAt: now };
}
