import type { AppError } from '../kernel/errors.js';
import { handlerError } from './handler-error.js';
import { findNonJson, jsonSizeBound } from './json-size.js';
import { pluginError } from './plugin-errors.js';
import type { RunCall } from './runner.js';
import type { Handler } from './sdk/handler.js';

/** The most bytes of one progress value as JSON. */
export const progressLimit = 64 * 1024;

/** Set when a run is over, whatever its handler still does. */
export interface RunState {
  over: boolean;
}

/**
 * Calls a handler with what was promised to it and nothing else. What it throws is an AppError by then; what a promise
 * that it returns rejects with is not: see {@link runFailure}.
 */
export function invokeHandler(handler: Handler, call: RunCall, run: RunState): unknown {
  const { input, signal, deadline, log, config, host, capability } = call;
  const progress = (value: unknown) => {
    if (run.over) return;
    const size = jsonSizeBound(value);
    if (size < 0 || (size > progressLimit && JSON.stringify(value).length > progressLimit)) {
      const message = `'${capability}' reported progress that is not JSON of at most ${progressLimit} bytes`;
      throw pluginError('progress_invalid', message);
    }
    call.progress(value);
  };
  try {
    return handler(Object.freeze({ input, signal, deadline, progress, log, config, host }));
  } catch (thrown) {
    throw runFailure(call, thrown);
  }
}

/** What a handler's failure is for its caller: once it was told to stop, it was cancelled. */
export function runFailure(call: Pick<RunCall, 'capability' | 'signal'>, thrown: unknown): AppError {
  return call.signal.aborted ? cancelledError(call) : handlerError(call.capability, thrown);
}

/** A handler's output, which is JSON. @throws AppError `plugin.output_not_json`, with the place */
export function jsonOutput(capability: string, output: unknown): unknown {
  if (jsonSizeBound(output) >= 0) return output;
  const field = findNonJson(output) ?? '';
  throw pluginError(
    'output_not_json',
    `'${capability}' returned something that is not JSON${field && ` at ${field}`}`,
    {
      hint: 'Return plain objects, arrays, strings, finite numbers, booleans and null',
      fields: [{ field, message: 'is not JSON' }],
    },
  );
}

/** A run that was told to stop and did. */
export function cancelledError({ capability, signal }: Pick<RunCall, 'capability' | 'signal'>): AppError {
  const { reason } = signal;
  const why = reason instanceof Error ? reason.message : String(reason);
  return pluginError('cancelled', `'${capability}' was stopped: ${why}`, { cause: reason });
}

/** A run that was stopped before its handler started. */
export function neverStarted(capability: string, { reason }: AbortSignal): AppError {
  return pluginError('never_started', `'${capability}' was stopped before it started`, { cause: reason });
}

/** A handler that went on after it was told to stop. @param graceMs how long it was waited for */
export function abortIgnored(
  { capability, signal }: Pick<RunCall, 'capability' | 'signal'>,
  graceMs: number,
  consequence: string,
): AppError {
  const message = `'${capability}' went on for ${graceMs} ms after it was told to stop`;
  const hint = `Its handler must end when its signal is aborted. ${consequence}`;
  return pluginError('abort_ignored', message, { hint, cause: signal.reason });
}

/**
 * Refuses what may not start any more.
 *
 * @param now milliseconds since the epoch
 * @throws AppError `plugin.never_started`, `plugin.deadline_exceeded`
 */
export function refuseLate(call: RunCall, now: number): void {
  if (call.signal.aborted) throw neverStarted(call.capability, call.signal);
  if (call.deadline > now) return;
  throw pluginError(
    'deadline_exceeded',
    `The deadline of '${call.capability}' was over before it could start`,
  );
}
