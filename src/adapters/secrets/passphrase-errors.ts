import { errorTable } from '../../kernel/errors.js';

/** Makes every error about passphrases and what they protect. */
export const passphraseError = errorTable('passphrase', {
  missing: { category: 'precondition', retryable: false },
  wrong: { category: 'precondition', retryable: false },
  ambiguous: { category: 'validation', retryable: false },
  too_short: { category: 'validation', retryable: false },
  too_long: { category: 'validation', retryable: false },
  not_set: { category: 'precondition', retryable: false },
  damaged: { category: 'precondition', retryable: false },
});
