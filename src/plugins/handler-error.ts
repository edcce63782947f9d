import { AppError } from '../kernel/errors.js';
import { jsonSizeBound } from './json-size.js';
import { pluginError } from './plugin-errors.js';
import { isCapabilityError } from './sdk/capability-error.js';

/** The most bytes of details that a handler may attach to its failure. */
const detailsLimit = 16 * 1024;
const messageLimit = 1_000;

/** What a handler threw, as the caller of the capability sees it. `details.code` is a CapabilityError's own code. */
export function handlerError(capability: string, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const message = (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, messageLimit);
  if (!isCapabilityError(thrown)) {
    return pluginError('handler_crashed', `'${capability}' failed unexpectedly: ${message}`, {
      hint: "See the node's log for the stack",
      cause: thrown,
    });
  }
  const size = thrown.details === undefined ? -1 : jsonSizeBound(thrown.details);
  const details = size >= 0 && size <= detailsLimit ? thrown.details : undefined;
  return pluginError(thrown.retryable ? 'capability_unavailable' : 'capability_failed', message, {
    details: { ...details, code: String(thrown.code).slice(0, 64) },
    cause: thrown,
  });
}
