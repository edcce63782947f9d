import { AppError, errorTable, type FieldError } from '../kernel/errors.js';

const invalid = { category: 'validation', retryable: false } as const;
const handler = { category: 'internal', retryable: false } as const;

const table = {
  // The manifest, in the order in which it is checked.
  unreadable: invalid,
  manifest_too_large: invalid,
  manifest_not_json: invalid,
  forbidden_key: invalid,
  too_deep: invalid,
  too_many_values: invalid,
  number_too_large: invalid,
  duplicate_key: invalid,
  api_version: invalid,
  manifest_invalid: invalid,
  engine: invalid,
  platform: invalid,
  example_mismatch: invalid,
  // A JSON Schema that a plugin or a node brought.
  schema_invalid: invalid,
  schema_too_large: invalid,
  schema_reference: invalid,
  schema_pattern: invalid,
  schema_too_costly: invalid,
  // Making one from its source.
  bad_name: invalid,
  folder_in_use: { category: 'conflict', retryable: false },
  no_source: invalid,
  build_failed: invalid,
  manifest_stale: invalid,
  // Where a plugin lies on the disk.
  root_unreadable: invalid,
  folder_escape: invalid,
  entry_missing: invalid,
  entry_not_javascript: invalid,
  entry_too_large: invalid,
  unsafe_permissions: { category: 'policy', retryable: false },
  name_clash: { category: 'conflict', retryable: false },
  // Loading it on a node.
  isolation_unsupported: { category: 'policy', retryable: false },
  not_trusted: { category: 'policy', retryable: false },
  config_invalid: invalid,
  load_failed: handler,
  load_timeout: { category: 'timeout', retryable: false },
  not_started: { category: 'precondition', retryable: false },
  stopped: { category: 'unavailable', retryable: true },
  // One run.
  unknown_capability: { category: 'not_found', retryable: false },
  descriptor_changed: { category: 'precondition', retryable: false },
  input_invalid: invalid,
  not_allowed: { category: 'policy', retryable: false },
  busy: { category: 'busy', retryable: true },
  cancelled: { category: 'precondition', retryable: false },
  never_started: { category: 'precondition', retryable: false },
  deadline_exceeded: { category: 'timeout', retryable: false },
  abort_ignored: { category: 'timeout', retryable: false },
  handler_crashed: handler,
  capability_failed: { category: 'precondition', retryable: false },
  capability_unavailable: { category: 'unavailable', retryable: true },
  output_not_json: handler,
  output_too_large: handler,
  output_invalid: handler,
  progress_invalid: handler,
  // The process that a plugin runs in.
  process_protocol: { category: 'precondition', retryable: false },
  build_changed: { category: 'precondition', retryable: false },
  process_ended: handler,
  disabled: { category: 'unavailable', retryable: false },
} as const;

/** Every way in which a plugin, its manifest, its schemas, its process or one of its runs can fail. */
export const pluginError = errorTable('plugin', table);

export type PluginErrorCode = keyof typeof table;

/** Whether a word that came from elsewhere is one of the codes, without their prefix. */
export function isPluginErrorCode(code: string): code is PluginErrorCode {
  return Object.hasOwn(table, code);
}

/** Where in a JSON document something is wrong, what, and what to do about it. */
export interface Problem {
  /** A JSON pointer (RFC 6901); '' is the whole document. */
  readonly pointer: string;
  readonly problem: string;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** An error about one place in a JSON document that has no file yet; {@link inFile} adds it. */
export function problemError(code: PluginErrorCode, problem: Problem): AppError {
  return pluginError(code, `${problem.pointer || 'the document'} ${problem.problem}`, {
    fields: [{ field: problem.pointer, message: problem.problem }],
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    ...(problem.cause === undefined ? {} : { cause: problem.cause }),
  });
}

/** An error about one place in a manifest. `details` carries `file` and `pointer`. */
export function manifestError(code: PluginErrorCode, file: string, problem: Problem): AppError {
  return inFile(problemError(code, problem), file);
}

/** The same error, with its pointers moved below `prefix`. */
export function below(error: AppError, prefix: string): AppError {
  const fields = fieldsOf(error).map(
    ({ field, message }): FieldError => ({ field: prefix + field, message }),
  );
  const [first] = fields;
  return rewritten(error, `${first?.field || 'the document'} ${first?.message}`, fields, error.details);
}

/** The same error, now about `file`. `details` carries `file` and the first `pointer`. */
export function inFile(error: AppError, file: string): AppError {
  const fields = fieldsOf(error);
  const [first] = fields;
  const pointer = first?.field ?? '';
  const place = pointer === '' ? file : `${file} ${pointer}`;
  return rewritten(error, `${place}: ${first?.message}`, fields, { ...error.details, file, pointer });
}

function fieldsOf(error: AppError): readonly FieldError[] {
  return error.fields ?? [{ field: '', message: error.message }];
}

function rewritten(
  error: AppError,
  message: string,
  fields: readonly FieldError[],
  details: AppError['details'],
): AppError {
  return new AppError(error.code, error, message, {
    fields,
    ...(details === undefined ? {} : { details }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  });
}
