import { Worker } from 'node:worker_threads';
import type { Deadlines } from '../../kernel/deadlines.js';
import { toAppError } from '../../kernel/errors.js';
import { pluginError } from '../plugin-errors.js';
import { programFile } from '../program-file.js';
import { type DescriptorReviewer, isLoaded, type Review, type ReviewRequest } from './reviewer.js';

/** How long one review may take, milliseconds: about a thousand times what a usual descriptor takes. */
export const reviewLimitMs = 2_000;

/** How long the thread may take to load, milliseconds: on a busy machine that is most of the work. */
const loadLimitMs = 30_000;

/** How much a review may allocate, MB. */
const memoryMb = 128;

/** Requests that wait, at most; each holds two descriptors. */
const mostWaiting = 1_024;

interface Waiting {
  readonly request: ReviewRequest;
  readonly answer: (review: Review) => void;
}

/**
 * Reviews descriptors in a worker thread, one at a time, and ends the thread when one takes too long or too much memory: compiling a
 * schema can't be interrupted otherwise. The thread lives while there is something to do.
 *
 * @example
 * const reviewer = new WorkerReviewer(kernel.deadlines);
 * const { refusal } = await reviewer.review({ after: descriptor });
 */
export class WorkerReviewer implements DescriptorReviewer {
  readonly #deadlines: Deadlines;
  readonly #limitMs: number;
  readonly #waiting: Waiting[] = [];
  #current: Waiting | undefined;
  #worker: Worker | undefined;
  #isClosed = false;

  constructor(deadlines: Deadlines, limitMs = reviewLimitMs) {
    this.#deadlines = deadlines;
    this.#limitMs = limitMs;
  }

  review(request: ReviewRequest): Promise<Review> {
    if (this.#isClosed) return Promise.resolve(refused('stopped', 'The daemon is stopping'));
    if (this.#waiting.length >= mostWaiting) {
      return Promise.resolve(refused('busy', `${mostWaiting} descriptors wait to be looked at already`));
    }
    return new Promise((answer) => {
      this.#waiting.push({ request, answer });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#end();
    for (const { answer } of this.#waiting.splice(0)) answer(refused('stopped', 'The daemon is stopping'));
    this.#answer(refused('stopped', 'The daemon is stopping'));
    await worker?.terminate();
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#end();
      return;
    }
    this.#current = next;
    if (this.#worker !== undefined) {
      this.#ask(this.#worker, next);
      return;
    }
    try {
      this.#worker = this.#start();
    } catch (thrown) {
      this.#answer({ refusal: toAppError(thrown).toEnvelope() });
      return;
    }
    const late = failed(new Error(`the thread has not loaded in ${loadLimitMs} ms`));
    this.#deadlines.set(this, loadLimitMs, () => this.#giveUp(late), { label: 'start of a review' });
  }

  #ask(worker: Worker, { request }: Waiting): void {
    worker.postMessage(request);
    this.#deadlines.release(this);
    this.#deadlines.set(this, this.#limitMs, () => this.#giveUp(tooLong(this.#limitMs)), {
      label: 'review of a descriptor',
    });
  }

  #start(): Worker {
    const worker = new Worker(programFile('review/review-worker.js'), {
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      // The thread sees nothing of the daemon's.
      env: {},
      argv: [],
    });
    worker.unref();
    worker.on('message', (said: Review | typeof isLoaded) => {
      if (worker !== this.#worker) return;
      if (said !== isLoaded) this.#answer(said);
      else if (this.#current !== undefined) this.#ask(worker, this.#current);
    });
    worker.on('error', (error) => {
      if (worker === this.#worker) this.#giveUp(failed(error));
    });
    worker.on('exit', () => {
      if (worker === this.#worker) this.#giveUp(failed(new Error('the thread ended')));
    });
    return worker;
  }

  #giveUp(review: Review): void {
    this.#end();
    this.#answer(review);
  }

  #answer(review: Review): void {
    const answered = this.#current;
    if (answered === undefined) return;
    this.#current = undefined;
    this.#deadlines.release(this);
    answered.answer(review);
    this.#next();
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    // Termination is not waited for: what it says from now on is not heard.
    worker?.terminate().catch(() => undefined);
  }
}

function refused(code: 'stopped' | 'busy', message: string): Review {
  return { refusal: pluginError(code, message).toEnvelope() };
}

function tooLong(limitMs: number): Review {
  return {
    refusal: pluginError('schema_too_costly', `Its schemas take longer than ${limitMs} ms to compile`, {
      hint: 'Write simpler schemas: fewer alternatives, shorter patterns',
    }).toEnvelope(),
  };
}

function failed(cause: Error): Review {
  return {
    refusal: pluginError('schema_too_costly', `Its schemas could not be looked at: ${cause.message}`, {
      hint: `They may take at most ${memoryMb} MB to compile`,
    }).toEnvelope(),
  };
}
