/** What a timer returns; pass it back to `clearTimeout`. */
export type TimerHandle = unknown;

/**
 * The clock port: the only source of time and timers. `now` is wall time in milliseconds since the epoch, `monotonic`
 * never goes back (milliseconds from an arbitrary start). `setTimeout` takes 0 to 2^31 - 1 milliseconds.
 */
export interface Clock {
  now(): number;
  monotonic(): number;
  setTimeout(callback: () => void, ms: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
