/** When a certificate is in force. Milliseconds since the epoch. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The longest that is waited before the wall clock is looked at again, milliseconds. */
const lookMs = 60_000;

/** When a certificate is due for renewal: when two thirds of its validity are over. Milliseconds since the epoch. */
export function renewalTime({ notBefore, notAfter }: Validity): number {
  return notAfter - (notAfter - notBefore) / 3;
}

/**
 * How long to wait before looking whether a wall time has come. Timers are monotonic: while a machine sleeps, or when its
 * clock is set, they don't move, but certificates end by the wall clock. So it is looked at once a minute.
 *
 * @param at milliseconds since the epoch
 * @returns milliseconds, at least 1
 */
export function untilNextLook(at: number, now: number): number {
  return Math.min(Math.max(1, at - now), lookMs);
}
