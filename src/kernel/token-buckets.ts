import type { Clock } from './clock.js';

/** A token bucket: `burst` at once, then `perSecond` more each second. */
export interface BucketLimit {
  readonly burst: number;
  readonly perSecond: number;
}

export interface TokenBucketsOptions {
  /** For all keys together. */
  readonly total: BucketLimit;
  /** Keys that are remembered; past it, the one that was charged longest ago is forgotten. */
  readonly tableSize: number;
}

/** How full a bucket is, and as of when (monotonic milliseconds). A full one: `{ tokens: burst, filledAt: now }`. */
export interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Why something was not charged: its own bucket is empty, or that of all together; undefined when it was. */
export type EmptyBucket = 'key' | 'total';

/**
 * A token bucket for each key and one for all together, on monotonic time and in bounded memory.
 *
 * @example
 * const buckets = new TokenBuckets(clock, { total: { burst: 64, perSecond: 50 }, tableSize: 4096 });
 * if (buckets.take('192.0.2.1', { burst: 8, perSecond: 1 }) !== undefined) refuse();
 */
export class TokenBuckets {
  readonly #clock: Clock;
  readonly #options: TokenBucketsOptions;
  readonly #total: Bucket;
  /** In the order of the last charge. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, options: TokenBucketsOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#total = { tokens: options.total.burst, filledAt: clock.monotonic() };
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes one token of the key's bucket and one of all together. What is refused takes none, so who is past the own limit
   * takes nothing from the others.
   */
  take(key: string, limit: BucketLimit): EmptyBucket | undefined {
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(key) ?? { tokens: limit.burst, filledAt: now };
    if (!holds(bucket, limit, now)) return 'key';
    if (!holds(this.#total, this.#options.total, now)) return 'total';
    bucket.tokens -= 1;
    this.#total.tokens -= 1;
    this.#remember(key, bucket);
    return undefined;
  }

  #remember(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= this.#options.tableSize) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}

/**
 * Fills a bucket up to now and tells whether so many tokens are in it. Takes none.
 *
 * @example
 * const bucket = { tokens: 8, filledAt: clock.monotonic() };
 * if (holds(bucket, { burst: 8, perSecond: 1 }, clock.monotonic())) bucket.tokens -= 1;
 */
export function holds(bucket: Bucket, limit: BucketLimit, now: number, tokens = 1): boolean {
  const earned = ((now - bucket.filledAt) / 1000) * limit.perSecond;
  bucket.tokens = Math.min(limit.burst, bucket.tokens + earned);
  bucket.filledAt = now;
  return bucket.tokens >= tokens;
}
