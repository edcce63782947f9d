import type { ErrorBody } from '../../contract/error.js';
import { statusOfCategory } from '../../contract/error-codes.js';
import { AppError, toAppError } from '../../kernel/errors.js';
import { httpError, statusOfCode } from './http-errors.js';

/** An error as it goes to a caller. */
export interface ErrorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

/** Seconds after which a refused caller may ask again, where the error does not say. */
const retryAfter = new Map<number, string>([
  [429, '1'],
  [503, '5'],
]);

/** What Fastify itself finds wrong with a request. */
const fastifyErrors = new Map([
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', unsupportedMediaType],
  ['FST_ERR_CTP_BODY_TOO_LARGE', bodyTooLarge],
  [
    'FST_ERR_CTP_INVALID_CONTENT_LENGTH',
    () => malformedRequest('The body has not the length that it announced'),
  ],
  ['FST_ERR_BAD_URL', () => malformedRequest('The path is not a valid URL')],
  ['FST_ERR_MAX_PARAM_LENGTH', () => malformedRequest('A part of the path is too long')],
]);

/**
 * The one answer to anything that fails. Faults of the daemon itself are told in no more words than their code, with a
 * trace id that stands in the log beside the whole story.
 */
export function errorReply(thrown: unknown, traceId: string): ErrorReply {
  const error = fromFastify(thrown) ?? toAppError(thrown);
  const status = statusOfCode(error.code) ?? statusOfCategory[error.category];
  const after = error.retryable ? (secondsOf(error.details) ?? retryAfter.get(status)) : undefined;
  const envelope = error.category === 'internal' ? withoutStory(error) : error.toEnvelope();
  return {
    status,
    headers: after === undefined ? {} : { 'retry-after': after },
    body: { error: { ...envelope, traceId } },
  };
}

/** What an error itself says of when to try again, for the header: whole seconds, none too few. */
function secondsOf(details: AppError['details']): string | undefined {
  const ms = details?.retryAfterMs;
  return typeof ms === 'number' ? String(Math.ceil(ms / 1_000)) : undefined;
}

function withoutStory({ code, category, retryable }: AppError) {
  return {
    code,
    category,
    retryable,
    message: 'Something failed inside the daemon',
    hint: 'Look for the trace id in the log of palyrad.',
  };
}

function fromFastify(thrown: unknown): AppError | undefined {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return undefined;
  const { code, statusCode } = thrown as { readonly code?: unknown; readonly statusCode?: unknown };
  const known = typeof code === 'string' ? fastifyErrors.get(code) : undefined;
  if (known) return known();
  const callersFault = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return callersFault ? malformedRequest(thrown.message) : undefined;
}

function unsupportedMediaType(): AppError {
  return httpError('unsupported_media_type', 'The body is not application/json', {
    hint: 'Send JSON with `Content-Type: application/json`.',
  });
}

function bodyTooLarge(): AppError {
  return httpError('body_too_large', 'The body is larger than this server takes', { hint: 'Send less.' });
}

function malformedRequest(message: string): AppError {
  return httpError('malformed_request', message);
}
