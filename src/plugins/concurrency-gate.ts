import { neverStarted } from './handler-run.js';
import { pluginError } from './plugin-errors.js';

interface Waiting {
  readonly enter: () => void;
}

/** Lets a bounded number of runs in at a time, and a bounded number wait, first come, first served. */
export class ConcurrencyGate {
  readonly #name: string;
  readonly #limit: number;
  readonly #most: number;
  readonly #waiting = new Set<Waiting>();
  #inside = 0;

  /**
   * @param name what is run, for errors
   * @param limit how many may be inside
   * @param most how many may wait
   */
  constructor(name: string, limit: number, most: number) {
    this.#name = name;
    this.#limit = limit;
    this.#most = most;
  }

  /**
   * Enters, at once when there is room: undefined is returned then, so that the usual case waits for nothing. Each
   * entrance needs one {@link leave}.
   *
   * @throws AppError `plugin.busy` when too many wait; the promise rejects with `plugin.never_started` when `signal` is aborted
   */
  enter(signal: AbortSignal): Promise<void> | undefined {
    if (this.#inside < this.#limit) {
      this.#inside++;
      return undefined;
    }
    if (this.#waiting.size >= this.#most) {
      throw pluginError(
        'busy',
        `'${this.#name}' has ${this.#inside} runs under way and ${this.#most} waiting`,
        {
          hint: 'Try again later, or raise the concurrency of the capability',
        },
      );
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(waiting);
        reject(neverStarted(this.#name, signal));
      };
      const waiting: Waiting = {
        enter: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  /** Leaves; the place goes to who has waited longest. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#inside--;
      return;
    }
    this.#waiting.delete(next);
    next.enter();
  }
}
