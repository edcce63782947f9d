import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import type { Deadlines } from '../../kernel/deadlines.js';
import { type BucketLimit, TokenBuckets } from '../../kernel/token-buckets.js';
import type { HostFacts } from '../device/record.js';
import { pairingError } from '../errors.js';
import type { CodeProof } from './code-proof.js';
import type { PairingMethod } from './record.js';

const lifetimeMs = 30_000;
const capacity = 32;
const perAddress = 4;

interface BeginLimits {
  readonly address: BucketLimit;
  readonly total: BucketLimit;
}

/**
 * How often Begin may be called. With the Prove that may follow it takes about 0.5 ms of the loop that also carries the
 * sessions for a join string and 4 ms for a PIN, which is typed by hand. So all callers together take a third of it at most.
 */
const beginLimits: Readonly<Record<PairingMethod, BeginLimits>> = {
  join: { address: { burst: 2_000, perSecond: 200 }, total: { burst: 4_000, perSecond: 400 } },
  pin: { address: { burst: 64, perSecond: 8 }, total: { burst: 256, perSecond: 32 } },
};
const rememberedAddresses = 16_384;

/** Who calls Begin. */
export interface BeginPeer {
  /** Its IP address. */
  readonly address: string;
  /** What its budget is kept by: the address, or the /64 of an IPv6 address, since one machine has all of those (protocol.md 11). */
  readonly budgetKey: string;
  /** The network that it is in, and that may have one owner: a /24, or a /48. */
  readonly network: string;
}

/** A Begin that waits for its Prove. In memory only; it has cost no code anything yet. */
export interface Attempt extends BeginPeer {
  readonly id: string;
  readonly deviceId: string;
  readonly identityKey: Uint8Array;
  readonly csrDigest: Uint8Array;
  readonly surfaceDigest: Uint8Array;
  readonly facts: HostFacts;
  readonly proof: CodeProof;
}

interface Open {
  readonly attempt: Attempt;
  transcript: Buffer | undefined;
}

/**
 * The proving attempts under way: at most 32 at a time, 4 of one address, 30 s each (protocol.md 11). Nobody can keep
 * others out by holding all places: when all are taken, a newcomer from a network that holds fewer than another gets the
 * place of that one's oldest attempt. To drive a machine out between its Begin and its Prove, a stranger needs 32 more
 * networks and one round trip's time.
 */
export class Attempts {
  readonly #deadlines: Deadlines;
  readonly #budgets: Readonly<Record<PairingMethod, TokenBuckets>>;
  /** Oldest first. */
  readonly #open = new Map<string, Open>();

  constructor(deadlines: Deadlines, clock: Clock) {
    this.#deadlines = deadlines;
    const bucketsOf = ({ total }: BeginLimits) =>
      new TokenBuckets(clock, { total, tableSize: rememberedAddresses });
    this.#budgets = { join: bucketsOf(beginLimits.join), pin: bucketsOf(beginLimits.pin) };
  }

  /**
   * Charges a Begin to its address and to all together (protocol.md 3). Comes before any work that the call asks for.
   *
   * @throws AppError `pairing.busy` when one of the two is used up.
   */
  charge({ budgetKey }: BeginPeer, method: PairingMethod): void {
    const empty = this.#budgets[method].take(budgetKey, beginLimits[method].address);
    if (empty !== undefined) throw busy();
  }

  /** @throws AppError `pairing.busy` when there is no place for one more. */
  open(details: Omit<Attempt, 'id'>): Attempt {
    if (this.#count((other) => other.budgetKey === details.budgetKey) >= perAddress) throw busy();
    if (this.#open.size >= capacity) this.#makeRoom(details);
    const attempt: Attempt = { ...details, id: randomBytes(16).toString('hex') };
    this.#open.set(attempt.id, { attempt, transcript: undefined });
    this.#deadlines.set(attempt, lifetimeMs, () => this.#open.delete(attempt.id), { label: 'proof' });
    return attempt;
  }

  /** Binds the attempt to the exchange that opened it, once the reply's bytes are known. */
  bind(id: string, transcript: Buffer): void {
    const entry = this.#open.get(id);
    if (entry) entry.transcript = transcript;
  }

  /** Ends an attempt: one attempt is one guess. */
  take(id: string): { attempt: Attempt; transcript: Buffer } | undefined {
    const entry = this.#open.get(id);
    if (!entry?.transcript) return undefined;
    this.#end(entry.attempt);
    return { attempt: entry.attempt, transcript: entry.transcript };
  }

  /** Drops the oldest attempt of the network, and in it of the address, that holds the most, unless it is the newcomer's. */
  #makeRoom(newcomer: BeginPeer): void {
    const network = this.#mostCrowded('network', () => true);
    const address = this.#mostCrowded('budgetKey', (one) => one.network === network);
    const isCrowded =
      network === newcomer.network
        ? this.#count((one) => one.budgetKey === address) >
          this.#count((one) => one.budgetKey === newcomer.budgetKey)
        : this.#count((one) => one.network === network) >
          this.#count((one) => one.network === newcomer.network);
    if (!isCrowded) throw busy();
    for (const { attempt } of this.#open.values()) {
      if (attempt.budgetKey !== address) continue;
      this.#end(attempt);
      return;
    }
  }

  #mostCrowded(by: 'network' | 'budgetKey', within: (attempt: Attempt) => boolean): string | undefined {
    const counts = new Map<string, number>();
    for (const { attempt } of this.#open.values()) {
      if (within(attempt)) counts.set(attempt[by], (counts.get(attempt[by]) ?? 0) + 1);
    }
    let most: string | undefined;
    for (const [key, count] of counts) if (most === undefined || count > (counts.get(most) ?? 0)) most = key;
    return most;
  }

  #count(fits: (attempt: Attempt) => boolean): number {
    let count = 0;
    for (const { attempt } of this.#open.values()) if (fits(attempt)) count += 1;
    return count;
  }

  #end(attempt: Attempt): void {
    this.#open.delete(attempt.id);
    this.#deadlines.release(attempt);
  }
}

function busy() {
  return pairingError('busy', 'Too many machines are pairing at this moment', {
    hint: 'Try again in 30 seconds.',
  });
}
