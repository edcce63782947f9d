import type { AppError } from '../kernel/errors.js';
import { pluginError } from './plugin-errors.js';
import type { HandlerCall } from './sdk/index.js';
import type { PluginStanding } from './standing.js';

/**
 * One run of one capability. `signal` is the only order to stop: whoever dispatches aborts it when the run is cancelled
 * or its deadline has come. `deadline` tells the handler how long it has.
 */
export interface RunCall extends HandlerCall {
  readonly capability: string;
  /** @param skipped so many were left out just before, because there were too many */
  progress(value: unknown, skipped?: number): void;
}

/**
 * Runs the code of one plugin, in this process or another. Input and output are checked by the caller, once for all
 * kinds of runner.
 */
export interface Runner {
  /** The plugin's name. */
  readonly plugin: string;
  /** How it stands now. */
  readonly standing: PluginStanding;
  /**
   * Loads the code. A plugin inside this process accepts runs from then on; one with a process of its own is also
   * started by its first run.
   *
   * @throws AppError `plugin.load_failed`, `plugin.load_timeout`; of a process also those of its end, see {@link run}
   */
  start(): Promise<void>;
  /**
   * Runs a handler and returns its output, which is JSON. Settles when the handler does, and at the latest a grace period
   * after `signal` is aborted. What a handler returns in that time counts.
   *
   * @throws AppError
   *   `plugin.cancelled` when `signal` was aborted and the handler stopped (its cause is the signal's reason),
   *   `plugin.never_started` when it was aborted before the handler could start,
   *   `plugin.deadline_exceeded` when the deadline was over before it could,
   *   `plugin.abort_ignored` when it was given up after the grace period: inline it may go on, a process is ended,
   *   `plugin.capability_failed`, `plugin.capability_unavailable` when it failed on purpose (`details.code` is its code),
   *   `plugin.handler_crashed` when it threw anything else, `plugin.output_not_json`, `plugin.unknown_capability`,
   *   `plugin.not_started` (inline), `plugin.stopped`; of a process also `plugin.load_failed`, `plugin.load_timeout`,
   *   `plugin.process_ended` when it ended under the run, `plugin.disabled` when it has failed too often,
   *   `plugin.output_too_large`
   */
  run(call: RunCall): Promise<unknown>;
  /** Accepts no more runs; resolves when those under way have ended, or a grace period has passed. Idempotent. */
  stop(): Promise<void>;
}

/** What a runner grants when it is not told otherwise. Times are milliseconds. */
export const runLimits = {
  /** How long an aborted handler may take to stop. */
  graceMs: 2_000,
  /** How long loading may take. */
  loadMs: 10_000,
} as const;

export function stoppedError(plugin: string): AppError {
  const hint = 'Try again once it has started';
  return pluginError('stopped', `Plugin '${plugin}' is not running`, { hint });
}

export function unknownCapability(plugin: string, capability: string): AppError {
  return pluginError('unknown_capability', `Plugin '${plugin}' has no capability '${capability}'`);
}

export function loadTimeout(plugin: string, loadMs: number): AppError {
  const hint = 'Do no slow work while the module is loaded; do it in the handler';
  return pluginError('load_timeout', `Plugin '${plugin}' did not load within ${loadMs} ms`, { hint });
}

/** @param size the bytes of the output as JSON */
export function outputTooLarge(capability: string, size: number, limit: number): AppError {
  return pluginError(
    'output_too_large',
    `'${capability}' returned ${size} bytes; at most ${limit} are sent`,
    {
      hint: 'Return less, or send parts of it as progress',
      details: { size, limit },
    },
  );
}
