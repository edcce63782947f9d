import { errorTable } from '../../kernel/errors.js';

/** Makes every error about a state directory. */
export const stateError = errorTable('state', {
  locked: { category: 'precondition', retryable: true },
  foreign_owner: { category: 'precondition', retryable: false },
  exposed: { category: 'precondition', retryable: false },
  not_a_directory: { category: 'precondition', retryable: false },
  absent: { category: 'not_found', retryable: false },
  unusable: { category: 'precondition', retryable: false },
});
