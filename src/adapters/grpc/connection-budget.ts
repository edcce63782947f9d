import type { Clock } from '../../kernel/clock.js';
import { type BucketLimit, TokenBuckets } from '../../kernel/token-buckets.js';
import { budgetKeyOf } from './peer-address.js';

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

/**
 * Decides which connections may cost a TLS handshake, before any byte of them is read. Its memory is bounded: past
 * `tableSize` the address that was admitted longest ago is forgotten.
 *
 * @example
 * const admission = new ConnectionBudget(systemClock).admit(socket.remoteAddress ?? '');
 * if (!admission.admitted) socket.destroy();
 */
export class ConnectionBudget {
  readonly #limits: ConnectionLimits;
  readonly #buckets: TokenBuckets;
  /** Handshakes in progress by address; bounded by `handshakes`. */
  readonly #handshakes = new Map<string, number>();
  #inProgress = 0;

  constructor(clock: Clock, limits: ConnectionLimits = defaultConnectionLimits) {
    this.#limits = limits;
    this.#buckets = new TokenBuckets(clock, limits);
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
    const { key, family } = budgetKeyOf(address);
    const limit = family === 6 ? this.#limits.perIpv6Prefix : this.#limits.perIpv4;
    const inProgress = this.#handshakes.get(key) ?? 0;
    if (this.#inProgress >= this.#limits.handshakes || inProgress >= this.#limits.handshakesPerAddress) {
      return { admitted: false, limit: 'handshakes' };
    }
    const empty = this.#buckets.take(key, limit);
    if (empty) return { admitted: false, limit: empty === 'key' ? 'address' : 'total' };
    this.#inProgress += 1;
    this.#handshakes.set(key, inProgress + 1);
    return { admitted: true, release: once(() => this.#end(key)) };
  }

  #end(key: string): void {
    this.#inProgress -= 1;
    const left = (this.#handshakes.get(key) ?? 1) - 1;
    if (left === 0) this.#handshakes.delete(key);
    else this.#handshakes.set(key, left);
  }
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}
