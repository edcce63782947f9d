/** The HTTP status of each category of error. */
export const statusOfCategory = {
  validation: 422,
  unauthenticated: 401,
  forbidden: 403,
  policy: 403,
  not_found: 404,
  conflict: 409,
  precondition: 412,
  busy: 429,
  unavailable: 503,
  timeout: 504,
  internal: 500,
} as const;

export const errorCategories = Object.keys(statusOfCategory) as readonly (keyof typeof statusOfCategory)[];

/**
 * The errors of the HTTP layer itself, with the status where it is not that of the category. All other codes come from
 * the daemon's parts (`pairing.decided`, `dispatch.busy`, …).
 */
export const httpErrorCodes = {
  malformed_body: { category: 'validation', retryable: false, status: 400 },
  malformed_request: { category: 'validation', retryable: false, status: 400 },
  invalid_request: { category: 'validation', retryable: false },
  body_too_large: { category: 'validation', retryable: false, status: 413 },
  headers_too_large: { category: 'validation', retryable: false, status: 431 },
  unsupported_media_type: { category: 'validation', retryable: false, status: 415 },
  request_timeout: { category: 'timeout', retryable: true, status: 408 },
  unknown_route: { category: 'not_found', retryable: false },
  method_not_allowed: { category: 'not_found', retryable: false, status: 405 },
  unauthenticated: { category: 'unauthenticated', retryable: false },
  forbidden: { category: 'forbidden', retryable: false },
  foreign_host: { category: 'forbidden', retryable: false },
  foreign_origin: { category: 'forbidden', retryable: false },
  unavailable: { category: 'unavailable', retryable: true },
  too_many_streams: { category: 'busy', retryable: true },
} as const;
