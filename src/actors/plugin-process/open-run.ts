import type { DeadlineHandle } from '../../kernel/deadlines.js';
import type { AppError } from '../../kernel/errors.js';
import { cancelledError, jsonOutput } from '../../plugins/handler-run.js';
import { pluginError } from '../../plugins/plugin-errors.js';
import { errorOf } from '../../plugins/process/failure.js';
import type { Failure } from '../../plugins/process/frames.js';
import type { RunCall } from '../../plugins/runner.js';

/** Codes that only the host has the right to use: from a handler they are a crash. */
const failures: ReadonlySet<string> = new Set([
  'capability_failed',
  'capability_unavailable',
  'handler_crashed',
  'output_not_json',
  'output_too_large',
  'progress_invalid',
  'unknown_capability',
]);

/** What a handler may ask of the node at a time. */
const requestLimit = 16;

export interface OpenRunOptions {
  readonly id: number;
  readonly call: RunCall;
  /** It was told to stop. */
  aborted(run: OpenRun): void;
  settled(run: OpenRun): void;
}

/** One run that waits for a process or is under way in it. Settles once. */
export class OpenRun {
  readonly id: number;
  readonly call: RunCall;
  readonly outcome: Promise<unknown>;
  /** When a run that was told to stop is given up. */
  grace: DeadlineHandle | undefined;
  /** Why its process is ended, when that is this run's fault. */
  fault: AppError | undefined;
  readonly #options: OpenRunOptions;
  #resolve: (output: unknown) => void = () => {};
  #reject: (error: AppError) => void = () => {};
  #requests = 0;
  #progress = 0;
  readonly #onAbort = () => this.#options.aborted(this);

  constructor(options: OpenRunOptions) {
    this.id = options.id;
    this.call = options.call;
    this.#options = options;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    options.call.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The handler has sent progress. Its process counts what it sent: what was left out on the way shows in the numbers. */
  progressed(sequence: number, value: unknown): void {
    if (sequence <= this.#progress) return;
    const skipped = sequence - this.#progress - 1;
    this.#progress = sequence;
    this.call.progress(value, skipped);
  }

  /** The handler has returned, as its process says. */
  done(output: unknown): void {
    let json: unknown;
    try {
      json = jsonOutput(this.call.capability, output);
    } catch (thrown) {
      this.fail(thrown as AppError);
      return;
    }
    this.#settle();
    this.#resolve(json);
  }

  /** The handler has failed, as its process says. */
  failed(failure: Failure): void {
    if (failure.code === 'cancelled' && this.call.signal.aborted) this.fail(cancelledError(this.call));
    else this.fail(errorOf(failures.has(failure.code) ? failure : { ...failure, code: 'handler_crashed' }));
  }

  fail(error: AppError): void {
    this.#settle();
    this.#reject(error);
  }

  /** Does what the handler asks of the node. @param answer undefined when it was done */
  async openUrl(url: string, answer: (error: string | undefined) => void): Promise<void> {
    if (this.#requests >= requestLimit) {
      answer(`More than ${requestLimit} requests at a time`);
      return;
    }
    this.#requests++;
    try {
      await this.call.host.openUrl(url);
      answer(undefined);
    } catch (thrown) {
      answer(thrown instanceof Error ? thrown.message : String(thrown));
    } finally {
      this.#requests--;
    }
  }

  #settle(): void {
    this.call.signal.removeEventListener('abort', this.#onAbort);
    this.#options.settled(this);
  }
}

/** A run of which more are under way than may be. */
export function tooBusy(plugin: string, limit: number): AppError {
  return pluginError('busy', `Plugin '${plugin}' has ${limit} runs under way or waiting`, {
    hint: 'Try again later',
  });
}
