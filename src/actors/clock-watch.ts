import type { Clock } from '../kernel/clock.js';
import type { Deadlines } from '../kernel/deadlines.js';
import { formatDuration } from '../kernel/duration.js';
import type { KernelLog } from '../kernel/log.js';
import { WallReference } from '../kernel/wall-reference.js';

/** How often it looks: a second late is soon enough for what certificates and codes are about. */
const everyMs = 1_000;

/** One step of the wall clock. */
export interface ClockStep {
  /** When it was noticed, by the wall clock as it is since; milliseconds since the epoch. */
  readonly at: number;
  /** Milliseconds; negative for backwards. */
  readonly byMs: number;
}

export interface ClockWatchOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly log: KernelLog;
}

const advice = {
  forwards:
    'If the time is right now, or this machine slept, there is nothing to do. If it is wrong, certificates end too early: set the clock right (NTP), and let nodes back in that ask for it (palyra pairings list).',
  backwards:
    'If the time is right now, there is nothing to do. If it is wrong, what is issued now ends too early for everybody else, and what had ended counts again here: set the clock right (NTP).',
} as const;

/**
 * Warns when the wall clock of the daemon's machine is set (protocol.md 15): by it certificates begin and end, and whoever can
 * set it can make them do so. Codes and sessions are not touched, since they end by monotonic time too.
 *
 * @example
 * const watch = new ClockWatch(kernel);
 * watch.start();
 * watch.last; // undefined until the clock was set
 */
export class ClockWatch {
  readonly #options: ClockWatchOptions;
  #reference: WallReference;
  #last: ClockStep | undefined;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
    this.#reference = new WallReference(options.clock);
  }

  /** The latest step since the daemon was started. */
  get last(): ClockStep | undefined {
    return this.#last;
  }

  /** Looks once a second until {@link ClockWatch.stop}. */
  start(): void {
    this.#options.deadlines.set(this, everyMs, () => this.#look(), { label: 'look at the wall clock' });
  }

  stop(): void {
    this.#options.deadlines.release(this);
  }

  #look(): void {
    this.start();
    const byMs = this.#reference.steppedBy;
    if (byMs === 0) return;
    const { clock, log } = this.#options;
    this.#reference = new WallReference(clock);
    this.#last = { at: clock.now(), byMs };
    const direction = byMs > 0 ? 'forwards' : 'backwards';
    log.warn(
      { byMs: Math.round(byMs), now: new Date(clock.now()).toISOString(), hint: advice[direction] },
      `The wall clock was set ${aboutText(Math.abs(byMs))} ${direction}`,
    );
  }
}

/** To the second, or to the minute where seconds say nothing any more. */
function aboutText(ms: number): string {
  const unitMs = ms < 600_000 ? 1_000 : 60_000;
  return formatDuration(Math.round(ms / unitMs) * unitMs);
}
