import type { Clock } from '../../kernel/clock.js';
import { budgetKeyOf } from './peer-address.js';

/** A token bucket: `burst` connections at once, then `perSecond` more each second. */
export interface BucketLimit {
  readonly burst: number;
  readonly perSecond: number;
}

export interface ConnectionLimits {
  readonly perIpv4: BucketLimit;
  /** Per /64, because one machine has a whole one. */
  readonly perIpv6Prefix: BucketLimit;
  readonly total: BucketLimit;
  /** TLS handshakes in progress at a time. */
  readonly handshakes: number;
  readonly handshakesPerAddress: number;
  /** Addresses that are remembered. */
  readonly tableSize: number;
}

/**
 * The defaults. A handshake costs about 0.6 ms of the loop that also carries the sessions (protocol.md 11), so 400 a
 * second take a quarter of it, and one address alone 6 per cent. 1,000 nodes that come back from one address at once are
 * let in at once. An address has its whole burst again after 10 s, while in that time at most 6,000 addresses can get
 * past `total`: the table always remembers those that count.
 */
export const defaultConnectionLimits: ConnectionLimits = {
  perIpv4: { burst: 1000, perSecond: 100 },
  perIpv6Prefix: { burst: 1000, perSecond: 100 },
  total: { burst: 2000, perSecond: 400 },
  handshakes: 2048,
  handshakesPerAddress: 1024,
  tableSize: 16_384,
};

/** The answer to one connection. `release` ends its place among the handshakes in progress; it may be called twice. */
export type Admission =
  | { readonly admitted: true; release(): void }
  | { readonly admitted: false; readonly limit: 'address' | 'total' | 'handshakes' };

interface Bucket {
  tokens: number;
  filledAt: number;
}

/**
 * Decides which connections may cost a TLS handshake, before any byte of them is read. Its memory is bounded: past
 * `tableSize` the address that was admitted longest ago is forgotten.
 *
 * @example
 * const admission = new ConnectionBudget(systemClock).admit(socket.remoteAddress ?? '');
 * if (!admission.admitted) socket.destroy();
 */
export class ConnectionBudget {
  readonly #clock: Clock;
  readonly #limits: ConnectionLimits;
  readonly #total: Bucket;
  /** By address, in the order of the last admission. */
  readonly #buckets = new Map<string, Bucket>();
  /** Handshakes in progress by address; bounded by `handshakes`. */
  readonly #handshakes = new Map<string, number>();
  #inProgress = 0;

  constructor(clock: Clock, limits: ConnectionLimits = defaultConnectionLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#total = { tokens: limits.total.burst, filledAt: clock.monotonic() };
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Charges one connection. A refused one costs no token of any bucket, so an address past its limit takes nothing from
   * the others.
   */
  admit(address: string): Admission {
    const now = this.#clock.monotonic();
    const { key, family } = budgetKeyOf(address);
    const limit = family === 6 ? this.#limits.perIpv6Prefix : this.#limits.perIpv4;
    const inProgress = this.#handshakes.get(key) ?? 0;
    if (this.#inProgress >= this.#limits.handshakes || inProgress >= this.#limits.handshakesPerAddress) {
      return { admitted: false, limit: 'handshakes' };
    }
    const bucket = this.#buckets.get(key) ?? { tokens: limit.burst, filledAt: now };
    if (!hasToken(bucket, limit, now)) return { admitted: false, limit: 'address' };
    if (!hasToken(this.#total, this.#limits.total, now)) return { admitted: false, limit: 'total' };
    bucket.tokens -= 1;
    this.#total.tokens -= 1;
    this.#remember(key, bucket);
    this.#inProgress += 1;
    this.#handshakes.set(key, inProgress + 1);
    return { admitted: true, release: once(() => this.#end(key)) };
  }

  #remember(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= this.#limits.tableSize) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }

  #end(key: string): void {
    this.#inProgress -= 1;
    const left = (this.#handshakes.get(key) ?? 1) - 1;
    if (left === 0) this.#handshakes.delete(key);
    else this.#handshakes.set(key, left);
  }
}

/** Fills a bucket up to now and tells whether a token is in it. */
function hasToken(bucket: Bucket, limit: BucketLimit, now: number): boolean {
  const earned = ((now - bucket.filledAt) / 1000) * limit.perSecond;
  bucket.tokens = Math.min(limit.burst, bucket.tokens + earned);
  bucket.filledAt = now;
  return bucket.tokens >= 1;
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}
