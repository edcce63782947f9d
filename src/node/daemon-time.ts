import type { Clock } from '../kernel/clock.js';

/** The daemon's wall clock as this node knew it last: by it the daemon says when a certificate ends. */
export class DaemonTime {
  readonly #clock: Clock;
  #offsetMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes what the stream that is live knows. @param daemonNow milliseconds since the epoch */
  note(daemonNow: number): void {
    this.#offsetMs = daemonNow - this.#clock.now();
  }

  /** Milliseconds since the epoch; this machine's own time before the first stream. */
  now(): number {
    return this.#clock.now() + this.#offsetMs;
  }
}
