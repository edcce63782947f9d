import { errorTable } from '../../kernel/errors.js';

/** Makes every error that a store adapter throws. */
export const storeError = errorTable('store', {
  conflict: { category: 'conflict', retryable: true },
  failed: { category: 'internal', retryable: false },
  closed: { category: 'unavailable', retryable: false },
  bad_record: { category: 'internal', retryable: false },
  bad_query: { category: 'validation', retryable: false },
  bad_cursor: { category: 'validation', retryable: false },
  corrupt: { category: 'precondition', retryable: false },
  wrong_file: { category: 'precondition', retryable: false },
  newer_schema: { category: 'precondition', retryable: false },
  unreadable: { category: 'precondition', retryable: false },
});
