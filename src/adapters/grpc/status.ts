import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  AppError,
  type ErrorCategory,
  type ErrorEnvelope,
  errorTable,
  toAppError,
} from '../../kernel/errors.js';

/** The error envelope travels beside the status, so that the other side gets code, hint and fields, not only a text. */
const envelopeKey = 'palyra-error-bin';

/** Errors of a link that no daemon or node said: the transport's own. */
export const linkError = errorTable('link', {
  unreachable: { category: 'unavailable', retryable: true },
  tls_refused: { category: 'unauthenticated', retryable: true },
  ended: { category: 'unavailable', retryable: true },
  incomplete: { category: 'unavailable', retryable: true },
});

const statusOf: Readonly<Record<ErrorCategory, status>> = {
  validation: status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  policy: status.PERMISSION_DENIED,
  not_found: status.NOT_FOUND,
  conflict: status.ABORTED,
  precondition: status.FAILED_PRECONDITION,
  busy: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
  timeout: status.DEADLINE_EXCEEDED,
  internal: status.INTERNAL,
};

/** An error as the answer to a call. What is internal keeps its details to the log. */
export function toStatus(thrown: unknown): Partial<ServiceError> {
  const error = toAppError(thrown);
  const shown: ErrorEnvelope =
    error.category === 'internal'
      ? { code: error.code, message: 'Internal error', category: 'internal', retryable: false }
      : error.toEnvelope();
  const metadata = new Metadata();
  metadata.set(envelopeKey, Buffer.from(JSON.stringify(shown)));
  return { code: statusOf[error.category], details: shown.message, metadata };
}

/** An error of a call as an AppError: the peer's own where it sent one, else what the transport says. */
export function fromStatus(error: Partial<ServiceError>): AppError {
  const [bytes] = error.metadata?.get(envelopeKey) ?? [];
  if (Buffer.isBuffer(bytes)) {
    const envelope = parseEnvelope(bytes);
    if (envelope) return AppError.fromEnvelope(envelope);
  }
  const text = error.details ?? error.message ?? 'The call failed';
  const isTls = /certificate|ssl|tls|alert|self.signed|EPROTO/i.test(text);
  if (isTls) {
    return linkError('tls_refused', `The TLS handshake failed: ${text}`, {
      hint: 'The certificate may be expired or of another daemon. Look at the log of the daemon.',
      cause: error,
    });
  }
  if (error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED) {
    return linkError('unreachable', `The daemon can't be reached: ${text}`, {
      hint: 'Is palyrad running, and is the address right?',
      cause: error,
    });
  }
  return linkError('ended', text, { cause: error });
}

function parseEnvelope(bytes: Buffer): ErrorEnvelope | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    const isEnvelope =
      typeof value === 'object' &&
      value !== null &&
      'code' in value &&
      'message' in value &&
      'category' in value;
    return isEnvelope ? (value as ErrorEnvelope) : undefined;
  } catch {
    return undefined;
  }
}
