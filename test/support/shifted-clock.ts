import { type Clock, systemClock } from '../../src/kernel/clock.js';

/** The machine's clock, whose wall time can be set: what has ended by it need not have ended by that of TLS. */
export class ShiftedClock implements Clock {
  /** Milliseconds that its wall clock is ahead. */
  shiftMs = 0;

  now(): number {
    return systemClock.now() + this.shiftMs;
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  setTimeout(callback: () => void, ms: number) {
    return systemClock.setTimeout(callback, ms);
  }

  clearTimeout(handle: unknown): void {
    systemClock.clearTimeout(handle);
  }
}
