import { checkJsonLimits } from '../../plugins/json-limits.js';
import type { NodeProgress } from '../link/frames.js';
import { type DispatchRecord, isDispatchState, isTerminal } from './record.js';
import type { DispatchHappening, FeedCursor } from './view.js';

/** Deeper JSON can be read but not written again. How many values there may be is bounded by the bytes. */
const valueShape = { depth: 128, values: Number.POSITIVE_INFINITY };

/** One reader's wait for something new. */
export interface FeedWake {
  /** Resolves when something may have happened since, or the reader is to stop. */
  next(): Promise<void>;
  stop(): void;
}

/** Who reads one dispatch, and which progress it had last. */
export class DispatchFeed {
  /** The session that its progress is of: it was sent there, and its handler numbers its progress anew. 0: it had none yet. */
  epoch = 0;
  /** The number of the latest progress value. */
  latest = 0;
  /** Its progress is forgotten. */
  isOver = false;
  readonly #readers = new Set<() => void>();

  get isRead(): boolean {
    return this.#readers.size > 0;
  }

  restart(epoch: number): void {
    this.epoch = epoch;
    this.latest = 0;
  }

  /** Something has happened. */
  wake(): void {
    for (const reader of this.#readers) reader();
  }

  read(signal: AbortSignal): FeedWake {
    let resolve = (): void => {};
    const reader = (): void => resolve();
    this.#readers.add(reader);
    signal.addEventListener('abort', reader, { once: true });
    return {
      next: () =>
        new Promise((done) => {
          resolve = done;
        }),
      stop: () => {
        this.#readers.delete(reader);
        signal.removeEventListener('abort', reader);
      },
    };
  }

  /**
   * What comes next for a reader who has got as far as `cursor`: steps that are not the end, then progress, then the end.
   *
   * @param kept the latest progress, oldest first
   * @param isWritten the record is on disk with its end
   */
  next(
    record: DispatchRecord,
    kept: readonly NodeProgress[],
    cursor: FeedCursor,
    isWritten: boolean,
  ): DispatchHappening | undefined {
    const step = record.steps[cursor.steps];
    if (step && !(isDispatchState(step.to) && isTerminal(step.to)) && !isAfterEnd(record, cursor.steps)) {
      return { event: 'step', at: { ...cursor, steps: cursor.steps + 1 }, step };
    }
    const progress = this.#progress(kept, cursor, isWritten);
    if (progress) return progress;
    return isWritten ? { event: 'end', at: { ...cursor, steps: record.steps.length }, record } : undefined;
  }

  #progress(
    kept: readonly NodeProgress[],
    cursor: FeedCursor,
    isWritten: boolean,
  ): DispatchHappening | undefined {
    if (cursor.epoch > this.epoch) return undefined;
    const { epoch } = this;
    const seen = cursor.epoch === epoch ? cursor.sequence : 0;
    const gapBefore = (sequence: number): DispatchHappening => ({
      event: 'gap',
      at: { ...cursor, epoch, sequence: sequence - 1 },
      missed: sequence - 1 - seen,
    });
    let unreadable = seen;
    for (const { sequence, value } of kept) {
      if (sequence <= seen) continue;
      const read = readable(value);
      // What is no JSON counts as missed.
      if (read === undefined) {
        unreadable = sequence;
        continue;
      }
      if (sequence > seen + 1) return gapBefore(sequence);
      return { event: 'progress', at: { ...cursor, epoch, sequence }, sequence, value: read.value };
    }
    // Told at once: a node that sends nothing else would have all of it read anew for each.
    if (unreadable > seen) return gapBefore(unreadable + 1);
    return isWritten && this.latest > seen ? gapBefore(this.latest + 1) : undefined;
  }
}

/** Whether a step was noted after the end: it is told with the record. */
function isAfterEnd({ steps }: DispatchRecord, index: number): boolean {
  return steps.slice(0, index).some(({ to }) => isDispatchState(to) && isTerminal(to));
}

function readable(value: Uint8Array): { readonly value: unknown } | undefined {
  try {
    const { buffer, byteOffset, byteLength } = value;
    const parsed: unknown = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString('utf8'));
    checkJsonLimits(parsed, valueShape);
    return { value: parsed };
  } catch {
    return undefined;
  }
}
