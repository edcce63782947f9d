import type { Clock } from './clock.js';

/** A difference between wall and monotonic time that is no mere correction, milliseconds (protocol.md 22). */
const stepMs = 5_000;

/** The wall clock as it stood at one moment, against monotonic time, which no one can set. */
export class WallReference {
  readonly #clock: Clock;
  readonly #difference: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#difference = clock.now() - clock.monotonic();
  }

  /**
   * How far the wall clock has been set since, in milliseconds: forwards, or backwards when negative; 0 for up to 5 s.
   * Monotonic time stands still while a machine sleeps, so that looks like a clock that was set forwards.
   */
  get steppedBy(): number {
    const by = this.#clock.now() - this.#clock.monotonic() - this.#difference;
    return Math.abs(by) > stepMs ? by : 0;
  }
}
