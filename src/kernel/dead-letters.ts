import { type Address, addressKind } from './address.js';
import type { Clock } from './clock.js';
import type { KernelLog } from './log.js';

/** Why an event reached nobody. */
export type DeadLetterReason = 'no_such_actor' | 'actor_ended' | 'refused';

/** An event that reached nobody. Its payload isn't kept: it may be large or secret. */
export interface DeadLetter {
  readonly address: Address;
  readonly eventType: string;
  readonly reason: DeadLetterReason;
  readonly from: Address | undefined;
  /** Wall time, milliseconds since the epoch. */
  readonly at: number;
}

interface KindCount {
  total: number;
  folded: number;
  /** Monotonic milliseconds. */
  loggedAt: number;
}

const kept = 256;
const foldMs = 10_000;

/**
 * The events that reached nobody: counted for ever by kind of address, the last 256 kept to look at, and logged at most
 * once per kind in 10 s, with the number of those that the line stands for.
 */
export class DeadLetters {
  readonly #clock: Clock;
  readonly #log: KernelLog;
  readonly #counts = new Map<string, KindCount>();
  readonly #ring: DeadLetter[] = [];
  #next = 0;

  constructor(clock: Clock, log: KernelLog) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Since the start, over all kinds. */
  get total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count.total;
    return total;
  }

  /** Since the start, by kind of address. */
  counts(): ReadonlyMap<string, number> {
    return new Map([...this.#counts].map(([kind, count]) => [kind, count.total]));
  }

  /** The most recent ones, oldest first. */
  recent(): readonly DeadLetter[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }

  /** Takes one in. */
  add(address: Address, eventType: string, reason: DeadLetterReason, from?: Address): void {
    this.#ring[this.#next] = { address, eventType, reason, from, at: this.#clock.now() };
    this.#next = (this.#next + 1) % kept;

    const kind = addressKind(address);
    const now = this.#clock.monotonic();
    let count = this.#counts.get(kind);
    if (!count) {
      count = { total: 0, folded: 0, loggedAt: Number.NEGATIVE_INFINITY };
      this.#counts.set(kind, count);
    }
    count.total += 1;
    if (now - count.loggedAt < foldMs) {
      count.folded += 1;
      return;
    }
    const { total, folded } = count;
    count.folded = 0;
    count.loggedAt = now;
    this.#log.warn(
      { address, eventType, reason, from, total, folded },
      'An event reached nobody (dead letter); folded counts those since the last line',
    );
  }
}
