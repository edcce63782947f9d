import { errorTable } from '../kernel/errors.js';

/** Errors of enrolment. `code_refused` has one text for every reason, so that a guesser learns nothing (protocol.md 3). */
export const pairingError = errorTable('pairing', {
  invalid_request: { category: 'validation', retryable: false },
  unsupported_protocol: { category: 'precondition', retryable: false },
  code_refused: { category: 'forbidden', retryable: false },
  code_ended: { category: 'conflict', retryable: false },
  too_many_pins: { category: 'busy', retryable: true },
  pins_locked: { category: 'precondition', retryable: false },
  busy: { category: 'busy', retryable: true },
  not_found: { category: 'not_found', retryable: false },
  unknown_device: { category: 'unauthenticated', retryable: false },
  in_force: { category: 'conflict', retryable: false },
  decided: { category: 'conflict', retryable: false },
  changed: { category: 'conflict', retryable: false },
  not_ready: { category: 'precondition', retryable: true },
  forbidden: { category: 'forbidden', retryable: false },
  bad_signature: { category: 'forbidden', retryable: false },
  device_barred: { category: 'policy', retryable: false },
  name_taken: { category: 'conflict', retryable: false },
  no_clone: { category: 'not_found', retryable: false },
  ambiguous_clone: { category: 'conflict', retryable: false },
});

/** Errors of the node port: who may speak, and what a session accepts. */
export const sessionError = errorTable('session', {
  unknown_device: { category: 'unauthenticated', retryable: false },
  unknown_certificate: { category: 'unauthenticated', retryable: false },
  revoked: { category: 'forbidden', retryable: false },
  certificate_expired: { category: 'unauthenticated', retryable: true },
  wrong_device: { category: 'forbidden', retryable: false },
  unsupported_protocol: { category: 'precondition', retryable: false },
  busy: { category: 'busy', retryable: true },
  stale_epoch: { category: 'precondition', retryable: true },
  clone_waiting: { category: 'precondition', retryable: true },
  clone_rejected: { category: 'forbidden', retryable: false },
  invalid_announcement: { category: 'validation', retryable: false },
  protocol: { category: 'validation', retryable: false },
});

/** Errors of what operators do with devices. */
export const deviceError = errorTable('device', {
  not_found: { category: 'not_found', retryable: false },
  forbidden: { category: 'forbidden', retryable: false },
  not_possible: { category: 'conflict', retryable: false },
  changed: { category: 'precondition', retryable: false },
  name_taken: { category: 'conflict', retryable: false },
  bad_labels: { category: 'conflict', retryable: false },
  no_clone: { category: 'not_found', retryable: false },
  ambiguous_clone: { category: 'conflict', retryable: false },
});

/** Errors of what operators decide about the capabilities that nodes offer. */
export const surfaceError = errorTable('surface', {
  not_offered: { category: 'not_found', retryable: false },
  forbidden: { category: 'forbidden', retryable: false },
  not_possible: { category: 'conflict', retryable: false },
  changed: { category: 'conflict', retryable: false },
  not_kept: { category: 'precondition', retryable: true },
  grant_not_found: { category: 'not_found', retryable: false },
  too_many_grants: { category: 'conflict', retryable: false },
});

/** Errors of what operators do with the daemon's certificate authorities. */
export const authorityError = errorTable('authority', {
  forbidden: { category: 'forbidden', retryable: false },
  not_found: { category: 'not_found', retryable: false },
  in_use: { category: 'conflict', retryable: false },
  rotating: { category: 'conflict', retryable: false },
  busy: { category: 'busy', retryable: true },
});

/** Errors of what operators do with the plugins of the daemon. */
export const pluginsError = errorTable('plugins', {
  not_found: { category: 'not_found', retryable: false },
  forbidden: { category: 'forbidden', retryable: false },
});

/** Errors of what is said instead of the name of one node. */
export const selectorError = errorTable('selector', {
  invalid: { category: 'validation', retryable: false },
  matches_nothing: { category: 'not_found', retryable: false },
});

/** Errors of fan-outs, as the caller of the control plane sees them. */
export const fanoutError = errorTable('fanout', {
  bad_request: { category: 'validation', retryable: false },
  too_many_targets: { category: 'validation', retryable: false },
  too_large: { category: 'validation', retryable: false },
  unexpected_count: { category: 'precondition', retryable: false },
  targets_changed: { category: 'precondition', retryable: true },
  busy: { category: 'busy', retryable: true },
  key_conflict: { category: 'conflict', retryable: false },
  not_found: { category: 'not_found', retryable: false },
  already_ended: { category: 'conflict', retryable: false },
});

/** Errors of dispatches, as the caller of the control plane sees them. */
export const dispatchError = errorTable('dispatch', {
  unknown_node: { category: 'not_found', retryable: false },
  ambiguous_node: { category: 'validation', retryable: false },
  unknown_capability: { category: 'not_found', retryable: false },
  not_approved: { category: 'policy', retryable: false },
  not_trusted: { category: 'policy', retryable: false },
  node_offline: { category: 'unavailable', retryable: true },
  invalid_input: { category: 'validation', retryable: false },
  invalid_request: { category: 'validation', retryable: false },
  input_too_large: { category: 'validation', retryable: false },
  invalid_output: { category: 'internal', retryable: false },
  output_too_large: { category: 'internal', retryable: false },
  busy: { category: 'busy', retryable: true },
  key_conflict: { category: 'conflict', retryable: false },
  wait_timeout: { category: 'timeout', retryable: true },
  not_found: { category: 'not_found', retryable: false },
  already_ended: { category: 'conflict', retryable: false },
  not_ended: { category: 'conflict', retryable: false },
  may_have_run: { category: 'precondition', retryable: false },
  stopping: { category: 'unavailable', retryable: true },
  forbidden: { category: 'forbidden', retryable: false },
});

/** Errors of deleting dispatches by order. */
export const pruningError = errorTable('pruning', {
  forbidden: { category: 'forbidden', retryable: false },
  busy: { category: 'busy', retryable: true },
});

/** Errors of the node host. */
export const nodeError = errorTable('node', {
  busy: { category: 'busy', retryable: true },
  unknown_capability: { category: 'policy', retryable: false },
  mediation_denied: { category: 'policy', retryable: false },
  mediation_timeout: { category: 'policy', retryable: false },
  deadline: { category: 'timeout', retryable: true },
  cancelled: { category: 'policy', retryable: false },
  interrupted: { category: 'internal', retryable: false },
  refused: { category: 'policy', retryable: false },
  pin_refused: { category: 'forbidden', retryable: false },
  not_proven: { category: 'policy', retryable: false },
  bad_settings: { category: 'validation', retryable: false },
  not_paired: { category: 'precondition', retryable: false },
  no_state: { category: 'not_found', retryable: false },
  key_lost: { category: 'precondition', retryable: false },
  bad_certificate: { category: 'policy', retryable: true },
});
