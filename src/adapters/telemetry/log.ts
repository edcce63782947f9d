import { type DestinationStream, destination, pino } from 'pino';
import { AppError } from '../../kernel/errors.js';
import type { KernelLog } from '../../kernel/log.js';
import { censor, redactedPaths, withoutSecrets } from './redaction.js';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** An error as log data: an AppError by its code and hint, anything else with its stack. */
function errorFields(thrown: unknown): unknown {
  if (thrown instanceof AppError) {
    return {
      ...thrown.toEnvelope(),
      ...(thrown.cause === undefined ? {} : { cause: errorFields(thrown.cause) }),
    };
  }
  if (thrown instanceof Error) return { message: thrown.message, stack: thrown.stack };
  return thrown;
}

/**
 * Structured logs: one JSON object a line on stderr, so that stdout stays for results. Anything under a key that names a
 * secret is redacted, and so is what has the shape of one.
 *
 * @param stream where the lines go; default: stderr
 * @example
 * const log = jsonLog('info');
 * log.info({ device: 'MFZ…' }, 'Node connected');
 */
export function jsonLog(
  level: LogLevel,
  stream: DestinationStream = destination({ dest: 2, sync: true }),
): KernelLog {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFields },
      redact: { paths: [...redactedPaths], censor },
      hooks: { streamWrite: withoutSecrets },
    },
    stream,
  );
}
