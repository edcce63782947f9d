import type { Clock } from '../../kernel/clock.js';
import { WallReference } from '../../kernel/wall-reference.js';

/**
 * The daemon's wall clock as a node sees it on one stream. Each frame says when it was sent; the smallest difference to
 * the time of its arrival is the offset of the clocks plus the fastest way here, and what a frame took longer than that is
 * its age. So an order that waited in a buffer does not get that time on top (protocol.md 22).
 */
export class DaemonClock {
  readonly #clock: Clock;
  readonly #begun: WallReference;
  #offset: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#begun = new WallReference(clock);
  }

  /**
   * Whether this machine's wall clock has been set, or the machine slept, since the stream began. Then nothing that was
   * learned of the daemon's clock holds any more.
   */
  get jumped(): boolean {
    return this.#begun.steppedBy !== 0;
  }

  /** Takes the send time of a frame that has just arrived and returns the frame's age, both in milliseconds. */
  observe(sentAtMs: number): number {
    const difference = this.#clock.now() - sentAtMs;
    if (this.#offset === undefined || difference < this.#offset) this.#offset = difference;
    return difference - this.#offset;
  }

  /** The daemon's time now, milliseconds since the epoch; the node's own before the first frame. */
  now(): number {
    return this.#clock.now() - (this.#offset ?? 0);
  }
}
