/** Limits of when somebody is told to try again, milliseconds. */
const shortestRetryMs = 100;
export const longestRetryMs = 60_000;
/** What is said of a node of which no end was seen yet, milliseconds. */
const unknownMs = 5_000;
/** How much one end counts against those before. */
const weight = 1 / 8;

/** How fast one node ends work: the mean time from one end to the next, with the latest counting most. */
export class EndPace {
  #last: number | undefined;
  #mean: number | undefined;

  /** @param now monotonic milliseconds */
  ended(now: number): void {
    if (this.#last !== undefined) {
      const span = now - this.#last;
      this.#mean = this.#mean === undefined ? span : this.#mean + (span - this.#mean) * weight;
    }
    this.#last = now;
  }

  /**
   * When the next end may be, milliseconds from now, 100 ms to a minute. A node that has ended nothing for longer than it
   * used to take is expected to go on like that.
   *
   * @param now monotonic milliseconds
   */
  nextIn(now: number): number {
    if (this.#last === undefined) return unknownMs;
    const expected = Math.max(this.#mean ?? 0, now - this.#last);
    return Math.round(Math.min(Math.max(expected, shortestRetryMs), longestRetryMs));
  }
}
