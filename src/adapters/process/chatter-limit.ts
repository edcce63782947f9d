import type { Clock } from '../../kernel/clock.js';
import { type Bucket, type BucketLimit, holds } from '../../kernel/token-buckets.js';
import { progressLimit } from '../../plugins/handler-run.js';

/** What may come of one plugin: lines of log, progress values, and their bytes together. */
const limits = {
  logs: { burst: 1_000, perSecond: 200 },
  progress: { burst: 2_000, perSecond: 1_000 },
  bytes: { burst: 8 * 1024 * 1024, perSecond: 2 * 1024 * 1024 },
} as const satisfies Record<string, BucketLimit>;

/** The most bytes of one frame of progress or log. */
const frameBytes = progressLimit + 1024;

/** How long what was left out is counted before it is told, milliseconds. */
const tellEveryMs = 1_000;

/** Keeps what a plugin logs and reports within bounds. What is over them is counted and left out. */
export class ChatterLimit {
  readonly #clock: Clock;
  readonly #tell: (logs: number, progress: number) => void;
  readonly #buckets: Readonly<Record<keyof typeof limits, Bucket>>;
  #dropped = { logs: 0, progress: 0 };
  #toldAt = Number.NEGATIVE_INFINITY;

  /** @param tell what was left out since it was told last, at most once a second */
  constructor(clock: Clock, tell: (logs: number, progress: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
    const filledAt = clock.monotonic();
    this.#buckets = {
      logs: { tokens: limits.logs.burst, filledAt },
      progress: { tokens: limits.progress.burst, filledAt },
      bytes: { tokens: limits.bytes.burst, filledAt },
    };
  }

  /** Whether one more may pass. */
  admits(kind: 'logs' | 'progress', bytes: number): boolean {
    const now = this.#clock.monotonic();
    const own = this.#buckets[kind];
    const all = this.#buckets.bytes;
    if (bytes <= frameBytes && holds(own, limits[kind], now) && holds(all, limits.bytes, now, bytes)) {
      own.tokens -= 1;
      all.tokens -= bytes;
      if (this.#dropped.logs + this.#dropped.progress > 0) this.#tellDropped(now);
      return true;
    }
    this.#dropped[kind]++;
    this.#tellDropped(now);
    return false;
  }

  /** Counts what the process itself left out. */
  note(logs: number, progress: number): void {
    this.#dropped.logs += logs;
    this.#dropped.progress += progress;
    this.#tellDropped(this.#clock.monotonic());
  }

  /** Tells what was left out and is not told yet. */
  flush(): void {
    const { logs, progress } = this.#dropped;
    this.#dropped = { logs: 0, progress: 0 };
    if (logs + progress > 0) this.#tell(logs, progress);
  }

  #tellDropped(now: number): void {
    if (now - this.#toldAt < tellEveryMs) return;
    this.#toldAt = now;
    this.flush();
  }
}
