/** Counts restarts over a sliding window: OTP's "intensity" and "period". */
export class RestartIntensity {
  readonly restarts: number;
  readonly withinMs: number;
  readonly #times: number[] = [];

  constructor(restarts: number, withinMs: number) {
    this.restarts = restarts;
    this.withinMs = withinMs;
  }

  /** Counts a restart at `now` (monotonic milliseconds). Returns false when it is one too many. */
  allows(now: number): boolean {
    if (this.restarts === Number.POSITIVE_INFINITY) return true;
    this.#times.push(now);
    while (now - (this.#times[0] ?? now) >= this.withinMs) this.#times.shift();
    return this.#times.length <= this.restarts;
  }
}
