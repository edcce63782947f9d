import { errorTable } from '../kernel/errors.js';

/** Errors of the client itself. What the daemon refuses arrives with the daemon's own codes. */
export const clientError = errorTable('client', {
  invalid_url: { category: 'validation', retryable: false },
  unreachable: { category: 'unavailable', retryable: true },
  bad_response: { category: 'unavailable', retryable: false },
  timeout: { category: 'timeout', retryable: true },
  outcome_unknown: { category: 'precondition', retryable: false },
  contract_mismatch: { category: 'precondition', retryable: false },
});
