import { errorTable } from '../../kernel/errors.js';

/** Makes every error about backups. */
export const backupError = errorTable('backup', {
  not_a_backup: { category: 'validation', retryable: false },
  damaged: { category: 'precondition', retryable: false },
  newer_format: { category: 'precondition', retryable: false },
  passphrase_missing: { category: 'precondition', retryable: false },
  wrong_passphrase: { category: 'precondition', retryable: false },
  no_state: { category: 'not_found', retryable: false },
  no_revocations: { category: 'not_found', retryable: false },
  changing: { category: 'busy', retryable: true },
  exists: { category: 'precondition', retryable: false },
  no_space: { category: 'precondition', retryable: false },
  not_empty: { category: 'precondition', retryable: false },
  undecided: { category: 'validation', retryable: false },
  unknown_device: { category: 'not_found', retryable: false },
});

/** That an archive ends too early or was changed. `what` is what was found, after "The backup is damaged: ". */
export function damaged(what: string) {
  return backupError('damaged', `The backup is damaged: ${what}`, {
    hint: 'Nothing was changed. Fetch the file again from where it was copied, or take another backup',
  });
}
