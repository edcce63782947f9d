import type { Deadlines } from '../../kernel/deadlines.js';

/** How long changes are gathered before those who wait hear of them, milliseconds. */
export const gatherMs = 50;

/** Callers that wait for the next change of a fan-out. */
export class FanoutNews {
  readonly #deadlines: Deadlines;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #changed = new Set<string>();

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  /** Resolves after the next change, or when the time is over. @param limitMs milliseconds */
  next(id: string, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiters);
      const done = (): void => {
        this.#deadlines.release(done);
        waiters.delete(done);
        resolve();
      };
      waiters.add(done);
      this.#deadlines.set(done, limitMs, done, { label: 'wait for a fan-out' });
    });
  }

  /** Something has changed: those who wait hear of it soon, together with what changes until then. */
  changed(id: string): void {
    if (this.#changed.size === 0)
      this.#deadlines.set(this, gatherMs, () => this.#tell(), { label: 'tell of fan-outs' });
    this.#changed.add(id);
  }

  #tell(): void {
    for (const id of this.#changed) {
      const waiters = this.#waiting.get(id);
      this.#waiting.delete(id);
      for (const done of waiters ?? []) done();
    }
    this.#changed.clear();
  }
}
