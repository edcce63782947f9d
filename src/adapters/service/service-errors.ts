import { errorTable } from '../../kernel/errors.js';

/** Makes every error about the node host as a service of this machine. */
export const serviceError = errorTable('service', {
  bad_path: { category: 'validation', retryable: false },
  not_installed: { category: 'not_found', retryable: false },
  manager_missing: { category: 'precondition', retryable: false },
  manager_failed: { category: 'precondition', retryable: true },
  not_started: { category: 'precondition', retryable: true },
  foreign_host: { category: 'precondition', retryable: true },
  refused: { category: 'policy', retryable: true },
  expired: { category: 'precondition', retryable: true },
  unreachable: { category: 'unavailable', retryable: true },
  not_connected: { category: 'timeout', retryable: true },
  still_running: { category: 'timeout', retryable: true },
});
