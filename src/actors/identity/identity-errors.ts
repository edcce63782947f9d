import { errorTable } from '../../kernel/errors.js';

/** Errors about what people type or paste to name a device or a daemon. */
export const identityError = errorTable('identity', {
  invalid_device_id: { category: 'validation', retryable: false },
  invalid_join_string: { category: 'validation', retryable: false },
  invalid_pin: { category: 'validation', retryable: false },
  invalid_share: { category: 'validation', retryable: false },
});
