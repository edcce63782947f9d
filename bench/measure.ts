import { percentile } from './statistics.js';

/** One call of what is measured; `done` is called once, when its answer is there. A callback, so that a bare transport stays bare. */
export type Call = (done: (error?: unknown) => void) => void;

/** Times of calls one at a time, microseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
}

/** Makes `samples` calls, each after the answer to the one before. Rejects with the first error. */
export function measureLatency(call: Call, samples: number): Promise<Latency> {
  const times: number[] = [];
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const started = performance.now();
      call((error) => {
        const ended = performance.now();
        if (error !== undefined) {
          reject(error);
          return;
        }
        times.push((ended - started) * 1000);
        if (times.length < samples) next();
        else resolve({ p50: percentile(times, 0.5), p99: percentile(times, 0.99), samples });
      });
    };
    next();
  });
}

/**
 * Keeps `inFlight` calls under way for `durationMs`, and longer until that many were answered, and returns the answers per
 * second of that time. Then it waits for the rest, so that nothing runs on into the next measurement. Rejects with the
 * first error.
 */
export function measureRate(call: Call, inFlight: number, durationMs: number): Promise<number> {
  const started = performance.now();
  const end = started + durationMs;
  let answers = 0;
  let open = inFlight;
  let answeredAt = started;
  return new Promise((resolve, reject) => {
    const done = (error?: unknown): void => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      const now = performance.now();
      if (now < end || answers < inFlight) {
        answers += 1;
        answeredAt = now;
        call(done);
        return;
      }
      open -= 1;
      if (open === 0) resolve((answers * 1000) / (answeredAt - started));
    };
    for (let i = 0; i < inFlight; i++) call(done);
  });
}
