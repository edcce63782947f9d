import type { KernelLog } from '../kernel/log.js';
import { nothingYet, Sweeper, type SweeperOptions, type SweepSubject } from './sweeper.js';

/** How often old records are looked for, milliseconds. */
export const sweepMs = 3_600_000;

export interface RetentionOptions extends SweeperOptions {
  readonly log: KernelLog;
  /** How long a record is kept after its end, milliseconds. */
  readonly ageMs: number;
  /** How many that have ended are kept; of more, those created last. */
  readonly count: number;
}

/** Deletes records of one kind that ended long ago, and the oldest when there are too many, once an hour: see {@link Sweeper}. */
export class Retention {
  readonly #subject: SweepSubject;
  readonly #options: RetentionOptions;
  readonly #sweeper: Sweeper;
  #stopped = false;

  constructor(subject: SweepSubject, options: RetentionOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#sweeper = new Sweeper(subject, options);
  }

  /** Sweeps now and then once an hour. What fails is logged and tried again then. */
  start(): void {
    const { deadlines, log } = this.#options;
    const { label } = this.#subject;
    this.sweep()
      .then(
        (pruned) => {
          if (pruned > 0) log.info({ pruned }, `Deleted ${label} that ended long ago`);
        },
        (err: unknown) => log.warn({ err }, `Old ${label} could not be deleted`),
      )
      .finally(() => {
        if (!this.#stopped) deadlines.set(this, sweepMs, () => this.start(), { label: `prune ${label}` });
      });
  }

  /** Nothing is read or written from now on; what is missing is done after the next start. */
  stop(): void {
    this.#stopped = true;
    this.#sweeper.stop();
    this.#options.deadlines.release(this);
  }

  /** Goes once through all that have ended. Returns how many were deleted. */
  async sweep(): Promise<number> {
    const { ageMs, count } = this.#options;
    const progress = nothingYet();
    await this.#sweeper.sweep({ ageMs, count }, progress);
    return progress.pruned;
  }
}
