import { errorTable } from '../kernel/errors.js';

/** Errors of the command line itself. */
export const cliError = errorTable('cli', {
  usage: { category: 'validation', retryable: false },
  invalid_json: { category: 'validation', retryable: false },
  ambiguous: { category: 'validation', retryable: false },
  confirmation_needed: { category: 'validation', retryable: false },
  insecure_url: { category: 'validation', retryable: false },
  no_token: { category: 'unauthenticated', retryable: false },
  not_found: { category: 'not_found', retryable: false },
  code_expired: { category: 'timeout', retryable: false },
  code_ended: { category: 'precondition', retryable: false },
  interrupted: { category: 'precondition', retryable: false },
});
