import type { HandlerCall } from './sdk/index.js';

/**
 * One run of one capability. `signal` is the only order to stop: whoever dispatches aborts it when the run is cancelled
 * or its deadline has come. `deadline` tells the handler how long it has.
 */
export interface RunCall extends HandlerCall {
  readonly capability: string;
}

/**
 * Runs the code of one plugin, in this process or another. Input and output are checked by the caller, once for all
 * kinds of runner.
 */
export interface Runner {
  /** The plugin's name. */
  readonly plugin: string;
  /**
   * Loads the code. Runs are accepted from then on.
   *
   * @throws AppError `plugin.load_failed`, `plugin.load_timeout`
   */
  start(): Promise<void>;
  /**
   * Runs a handler and returns its output, which is JSON. Settles when the handler does, and at the latest a grace period
   * after `signal` is aborted. What a handler returns in that time counts.
   *
   * @throws AppError
   *   `plugin.cancelled` when `signal` was aborted and the handler stopped (its cause is the signal's reason),
   *   `plugin.deadline_exceeded` when the deadline was over before it could start,
   *   `plugin.abort_ignored` when it was given up after the grace period, and may go on,
   *   `plugin.capability_failed`, `plugin.capability_unavailable` when it failed on purpose (`details.code` is its code),
   *   `plugin.handler_crashed` when it threw anything else, `plugin.output_not_json`, `plugin.unknown_capability`,
   *   `plugin.not_started`, `plugin.stopped`
   */
  run(call: RunCall): Promise<unknown>;
  /** Accepts no more runs; resolves when those under way have ended, or a grace period has passed. Idempotent. */
  stop(): Promise<void>;
}
