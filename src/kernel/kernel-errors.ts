import { errorTable } from './errors.js';

/** The kernel's error codes. */
export const kernelError = errorTable('kernel', {
  bad_address: { category: 'validation', retryable: false },
  address_taken: { category: 'conflict', retryable: false },
  no_such_actor: { category: 'unavailable', retryable: true },
  actor_down: { category: 'unavailable', retryable: true },
  ask_timeout: { category: 'timeout', retryable: true },
  bad_delay: { category: 'validation', retryable: false },
  bad_supervisor: { category: 'validation', retryable: false },
  bad_machine: { category: 'validation', retryable: false },
  restart_intensity: { category: 'internal', retryable: false },
  child_ended: { category: 'internal', retryable: false },
  duplicate_key: { category: 'conflict', retryable: false },
  crowd_full: { category: 'busy', retryable: true },
  crowd_stopping: { category: 'unavailable', retryable: true },
});
