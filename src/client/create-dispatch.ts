import type { CreateDispatch, Dispatch } from '../contract/dispatch.js';
import { AppError } from '../kernel/errors.js';
import { clientError } from './client-errors.js';
import type { RequestOptions } from './client-options.js';
import type { Requests } from './requests.js';

/** What the daemon adds to the time of the handler before it gives a waiting caller 504: the person at the node, and the way. */
const serverMarginMs = 125_000;
const clientMarginMs = 10_000;

/**
 * Asks for a dispatch, with a key that counts where the work must not be done twice if the request has none.
 *
 * @throws AppError `client.outcome_unknown` with `details.idempotencyKey` when the answer was lost.
 */
export async function createDispatch(
  requests: Requests,
  request: CreateDispatch,
  options?: RequestOptions,
): Promise<Dispatch> {
  const key = request.idempotencyKey ?? request.keyIfNeeded ?? crypto.randomUUID();
  const body = request.idempotencyKey === undefined ? { ...request, keyIfNeeded: key } : request;
  try {
    return await requests.send('createDispatch', { body }, options, timeoutOf(request, requests.timeoutMs));
  } catch (error) {
    throw error instanceof AppError && error.code === 'client.outcome_unknown' ? withKey(error, key) : error;
  }
}

/** Longer than the daemon takes to say that it was not done in time. Without a given time only the daemon knows. */
function timeoutOf({ wait, timeoutMs }: CreateDispatch, usualMs: number): number {
  if (wait !== true) return usualMs;
  return timeoutMs === undefined ? Number.POSITIVE_INFINITY : timeoutMs + serverMarginMs + clientMarginMs;
}

function withKey(error: AppError, key: string): AppError {
  return clientError('outcome_unknown', error.message, {
    hint: `Ask again with the idempotency key ${key}: work that must not be done twice is not done twice.`,
    details: { ...error.details, idempotencyKey: key },
    cause: error.cause,
  });
}
