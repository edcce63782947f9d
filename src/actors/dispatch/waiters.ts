import type { Deadlines } from '../../kernel/deadlines.js';
import { dispatchError } from '../errors.js';
import type { LiveDispatches } from './live.js';
import type { DispatchRecord } from './record.js';

/** What a waiting caller gets on top of the time of handler and person, for the way there and back, milliseconds. */
const marginMs = 5_000;

/** Callers that wait for the end of a dispatch. One that waits too long is told so, and the dispatch goes on. */
export class DispatchWaiters {
  readonly #deadlines: Deadlines;
  readonly #live: LiveDispatches;
  readonly #waiting = new Map<string, Set<(record: DispatchRecord) => void>>();

  constructor(deadlines: Deadlines, live: LiveDispatches) {
    this.#deadlines = deadlines;
    this.#live = live;
  }

  /**
   * Resolves with the record when the dispatch has ended and that is written.
   *
   * @param gone aborts when the caller does not wait any more, so that nothing is kept of one who left
   * @throws AppError `dispatch.wait_timeout` after the time that handler and person have, and a margin, or when `gone` aborts.
   */
  wait(record: DispatchRecord, gone?: AbortSignal): Promise<DispatchRecord> {
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(record.id) ?? new Set();
      this.#waiting.set(record.id, waiters);
      const waiter = (ended: DispatchRecord): void => {
        this.#deadlines.release(waiter);
        gone?.removeEventListener('abort', giveUp);
        resolve(ended);
      };
      waiters.add(waiter);
      const giveUp = (): void => {
        waiters.delete(waiter);
        if (waiters.size === 0 && this.#waiting.get(record.id) === waiters) this.#waiting.delete(record.id);
        this.#deadlines.release(waiter);
        gone?.removeEventListener('abort', giveUp);
        reject(waitTimeout(this.#live.get(record.id) ?? record));
      };
      const limit = record.timeoutMs + record.mediationTimeoutMs + marginMs;
      this.#deadlines.set(waiter, limit, giveUp, { label: 'wait for the end' });
      if (gone?.aborted) giveUp();
      else gone?.addEventListener('abort', giveUp);
    });
  }

  /** How many dispatches are waited for. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The dispatch has ended: tells all that wait for it. */
  tell(record: DispatchRecord): void {
    const waiters = this.#waiting.get(record.id);
    this.#waiting.delete(record.id);
    for (const waiter of waiters ?? []) waiter(record);
  }
}

function waitTimeout(record: DispatchRecord) {
  return dispatchError('wait_timeout', `Dispatch ${record.id} has not ended in time; it is ${record.state}`, {
    hint: `It goes on. Look at it with \`palyra dispatches show ${record.id}\`.`,
    details: { dispatchId: record.id, state: record.state },
  });
}
