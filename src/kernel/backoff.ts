/** How long to wait before each attempt. Times in milliseconds. */
export interface BackoffOptions {
  /** Before the first attempt after a success; 0 for at once. */
  readonly firstMs: number;
  /** Before the second; doubles from there. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** A number in [0, 1), as `Math.random` gives. */
  readonly random: () => number;
}

/** The waits between attempts at one thing; see {@link jitteredBackoff}. */
export interface Backoff {
  /** Attempts since the start or the last reset. */
  readonly attempts: number;
  /** The wait before the next attempt, in milliseconds; counts the attempt. */
  next(): number;
  /** After a success: the next wait is the first again. */
  reset(): void;
}

/**
 * Exponential backoff with "equal jitter": each wait is between half of its nominal value and all of it, so peers that
 * failed together don't come back together, and none comes back at once.
 *
 * @example
 * const backoff = jitteredBackoff({ firstMs: 500, baseMs: 1_000, maxMs: 30_000, random: Math.random });
 * backoff.next(); // 250 to 500
 * backoff.next(); // 500 to 1000
 */
export function jitteredBackoff({ firstMs, baseMs, maxMs, random }: BackoffOptions): Backoff {
  let attempts = 0;
  return {
    get attempts() {
      return attempts;
    },
    next() {
      const nominal = attempts === 0 ? firstMs : Math.min(maxMs, baseMs * 2 ** (attempts - 1));
      attempts += 1;
      return nominal * (0.5 + random() * 0.5);
    },
    reset() {
      attempts = 0;
    },
  };
}
