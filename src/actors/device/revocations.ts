/** What bars a device, and what takes a bar off again. */
export const barringActions = ['revoke', 'remove', 'ban'] as const;
export type BarringAction = (typeof barringActions)[number];

/** One decision about whether a device may connect, as it stands outside of the database. */
export interface Revocation {
  readonly deviceId: string;
  readonly action: BarringAction | 'lift';
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** A caller label: `operator:ada`. */
  readonly by: string;
  readonly reason: string;
}

/** A revocation that shuts its device out. */
export type Bar = Revocation & { readonly action: BarringAction };

export function isBar(revocation: Revocation): revocation is Bar {
  return revocation.action !== 'lift';
}

/**
 * The decisions about devices in a file of their own, so that a database that comes from a backup trusts nobody who was shut
 * out since (protocol.md 16).
 */
export interface RevocationLog {
  /** The last decision about each device. */
  latest(): Iterable<Revocation>;
  /** The last decision about one device. */
  of(deviceId: string): Revocation | undefined;
  /**
   * Resolves when it is on disk.
   *
   * @throws AppError `revocations.unwritable`.
   */
  append(revocation: Revocation): Promise<void>;
}
