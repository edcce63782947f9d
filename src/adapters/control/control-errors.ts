import { errorTable } from '../../kernel/errors.js';

/** Makes every error of the line between a running node host and the commands of its owner. */
export const controlError = errorTable('control', {
  not_running: { category: 'unavailable', retryable: true },
  no_answer: { category: 'timeout', retryable: true },
  bad_request: { category: 'validation', retryable: false },
  busy: { category: 'busy', retryable: true },
  ended: { category: 'unavailable', retryable: true },
});
