/** What kind of failure an error is. Adapters map it to an HTTP status, a gRPC status and an exit code. */
export type ErrorCategory =
  | 'validation'
  | 'unauthenticated'
  | 'forbidden'
  | 'policy'
  | 'not_found'
  | 'conflict'
  | 'precondition'
  | 'busy'
  | 'unavailable'
  | 'timeout'
  | 'internal';

/** One bad field of an input: where it is (a JSON pointer, an option or a column) and what is wrong with it. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** What never changes about one error code. `retryable`: the same request may succeed later, unchanged. */
export interface ErrorDefinition {
  readonly category: ErrorCategory;
  readonly retryable: boolean;
}

/** What varies from one throw to the next. `hint` says what to do about it. */
export interface ErrorOptions {
  readonly hint?: string;
  readonly fields?: readonly FieldError[];
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The shape in which an error crosses a process border. It carries no stack and no cause. */
export interface ErrorEnvelope {
  readonly code: string;
  readonly message: string;
  readonly category: ErrorCategory;
  readonly retryable: boolean;
  readonly hint?: string;
  readonly fields?: readonly FieldError[];
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The one way in which anything fails on purpose. Made from a layer's table (see {@link errorTable}), never from a
 * string, so that every code, category and retry rule stands in exactly one place.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: string;
  readonly category: ErrorCategory;
  readonly retryable: boolean;
  readonly hint: string | undefined;
  readonly fields: readonly FieldError[] | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, definition: ErrorDefinition, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.category = definition.category;
    this.retryable = definition.retryable;
    this.hint = options.hint;
    this.fields = options.fields;
    this.details = options.details;
  }

  /** The envelope that is safe to send to a peer. */
  toEnvelope(): ErrorEnvelope {
    return {
      code: this.code,
      message: this.message,
      category: this.category,
      retryable: this.retryable,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.fields === undefined ? {} : { fields: this.fields }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  /** Rebuilds an error that a peer sent as an envelope. */
  static fromEnvelope(envelope: ErrorEnvelope): AppError {
    return new AppError(envelope.code, envelope, envelope.message, {
      ...(envelope.hint === undefined ? {} : { hint: envelope.hint }),
      ...(envelope.fields === undefined ? {} : { fields: envelope.fields }),
      ...(envelope.details === undefined ? {} : { details: envelope.details }),
    });
  }
}

/**
 * Declares a layer's error codes and returns the function that makes its errors.
 *
 * @example
 * const storeError = errorTable('store', { conflict: { category: 'conflict', retryable: true } });
 * throw storeError('conflict', 'Record dispatch/d1 is at version 4, not 3', { hint: 'Read it again' });
 */
export function errorTable<const T extends Readonly<Record<string, ErrorDefinition>>>(
  layer: string,
  table: T,
) {
  return (code: keyof T & string, message: string, options?: ErrorOptions): AppError =>
    new AppError(`${layer}.${code}`, table[code] as ErrorDefinition, message, options);
}

const internal: ErrorDefinition = { category: 'internal', retryable: false };

/** Any thrown value as an AppError; what is not one becomes `internal` with the original as its cause. */
export function toAppError(thrown: unknown): AppError {
  let message = 'Something was thrown that can not even be read';
  try {
    if (thrown instanceof AppError) return thrown;
    message = String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    // Code that others wrote throws what it likes, and whoever reports it must not fail in turn.
  }
  return new AppError('internal', internal, message, { cause: thrown });
}
