/** Numbers that a seed decides: each machine has its own, so that what it draws does not depend on which thread was faster. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). Mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number. */
  between(low: number, high: number): number {
    return Math.round(low + this.next() * (high - low));
  }

  /** A whole number: the time to something that happens once in `mean`, as often at any moment. */
  wait(mean: number): number {
    return Math.round(-Math.log(1 - this.next()) * mean);
  }
}
