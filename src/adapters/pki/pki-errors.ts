import { errorTable } from '../../kernel/errors.js';

/** Makes every error about keys, certificates and certificate requests. */
export const pkiError = errorTable('pki', {
  invalid_request: { category: 'validation', retryable: false },
  invalid_certificate: { category: 'validation', retryable: false },
  invalid_key: { category: 'precondition', retryable: false },
  invalid_host: { category: 'validation', retryable: false },
});
