import type { Clock, TimerHandle } from './clock.js';
import { kernelError } from './kernel-errors.js';

const longestTimerMs = 2 ** 31 - 1;

interface SimulatedTimer {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Lets promises and immediates that are ready run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * A clock that stands still until it is told to move, for tests and for the test kit.
 *
 * Wall time and monotonic time are separate, as they are on a machine: `advance` moves both, `setWallTime` moves the
 * wall alone, as an operator or NTP would.
 *
 * @example
 * const clock = new SimulatedClock();
 * clock.setTimeout(() => console.log('a minute later'), 60_000);
 * clock.advance(60_000);
 */
export class SimulatedClock implements Clock {
  readonly #timers = new Set<SimulatedTimer>();
  #wallOffset: number;
  #monotonic = 0;
  #order = 0;

  /** @param wallTime where the wall clock starts, milliseconds since the epoch. Default: 2026-01-01T00:00:00Z. */
  constructor(wallTime = Date.UTC(2026, 0, 1)) {
    this.#wallOffset = wallTime;
  }

  now(): number {
    return this.#wallOffset + this.#monotonic;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** @throws AppError `kernel.bad_delay` for a delay that Node's timers would silently turn into 1 ms. */
  setTimeout(callback: () => void, ms: number): TimerHandle {
    if (!(ms >= 0 && ms <= longestTimerMs)) {
      throw kernelError('bad_delay', `A timer of ${ms} ms is outside 0 to ${longestTimerMs} ms`, {
        hint: 'Set a deadline (Deadlines.set), which takes any delay',
      });
    }
    this.#order += 1;
    const timer: SimulatedTimer = { due: this.#monotonic + ms, order: this.#order, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers.delete(handle as SimulatedTimer);
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Moves the wall clock without letting any time pass. Milliseconds since the epoch. */
  setWallTime(wallTime: number): void {
    this.#wallOffset = wallTime - this.#monotonic;
  }

  /**
   * Lets `ms` pass and runs what is due on the way, in order, each at its own time.
   *
   * @throws AppError `kernel.bad_delay` for a time that is not from 0 up: monotonic time never goes back.
   */
  advance(ms: number): void {
    const end = this.#after(ms);
    while (this.#fireNext(end));
    this.#reach(end);
  }

  /** Like {@link advance}, and lets promises settle after each timer. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#after(ms);
    await turn();
    while (this.#fireNext(end)) await turn();
    this.#reach(end);
  }

  /**
   * Moves on from timer to timer until none is left, or until `limitMs` have passed. Returns the milliseconds that
   * passed.
   */
  async runUntilIdle(limitMs = 24 * 3_600_000): Promise<number> {
    const start = this.#monotonic;
    await turn();
    while (this.#fireNext(start + limitMs)) await turn();
    return this.#monotonic - start;
  }

  #after(ms: number): number {
    if (ms >= 0 && Number.isFinite(ms)) return this.#monotonic + ms;
    throw kernelError('bad_delay', `Time can't pass by ${ms} ms`, {
      hint: 'To move the wall clock back, use setWallTime',
    });
  }

  /** A timer may have moved the clock further while it ran. */
  #reach(end: number): void {
    this.#monotonic = Math.max(this.#monotonic, end);
  }

  #fireNext(end: number): boolean {
    let next: SimulatedTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.due > end) continue;
      if (!next || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) next = timer;
    }
    if (!next) return false;
    this.#timers.delete(next);
    this.#reach(next.due);
    next.callback();
    return true;
  }
}
