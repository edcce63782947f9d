const brand = Symbol.for('palyra.dev/capability-error');

export interface CapabilityErrorOptions {
  /** Whether the same request may succeed later, unchanged. Default: false. */
  readonly retryable?: boolean;
  /** JSON that helps the caller. It is sent to them, so no secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * How a handler fails on purpose. The caller gets the code, the message and the details; of any other error that a
 * handler throws, only the message.
 *
 * @param code lowercase words, joined by _
 * @example throw new CapabilityError('no_printer', 'No printer is connected', { retryable: true });
 */
export class CapabilityError extends Error {
  override readonly name = 'CapabilityError';
  readonly code: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly [brand] = true;

  constructor(code: string, message: string, options: CapabilityErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details;
  }
}

/** Whether a thrown value is a CapabilityError, of this copy of the SDK or of one that was bundled into a plugin. */
export function isCapabilityError(thrown: unknown): thrown is CapabilityError {
  return typeof thrown === 'object' && thrown !== null && brand in thrown;
}
