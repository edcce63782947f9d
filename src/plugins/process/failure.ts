import { type AppError, toAppError } from '../../kernel/errors.js';
import { isPluginErrorCode, pluginError } from '../plugin-errors.js';
import type { Failure } from './frames.js';

const prefix = 'plugin.';
const messageLimit = 2_000;
const stackLimit = 8 * 1024;

/** What was thrown in the child, for its way to the host. */
export function failureOf(thrown: unknown): Failure {
  const error = toAppError(thrown);
  const { code, message, hint, details, fields, cause } = error;
  const stack = cause instanceof Error ? cause.stack : undefined;
  return {
    code: code.startsWith(prefix) ? code.slice(prefix.length) : 'handler_crashed',
    message: message.slice(0, messageLimit),
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
    ...(fields === undefined ? {} : { fields }),
    ...(stack === undefined ? {} : { stack: stack.slice(0, stackLimit) }),
  };
}

/** The error of the same kind on the host's side. A code that no plugin error has counts as a crash of the handler. */
export function errorOf({ code, message, hint, details, fields, stack }: Failure): AppError {
  const cause = stack === undefined ? undefined : Object.assign(new Error(message), { stack });
  return pluginError(isPluginErrorCode(code) ? code : 'handler_crashed', message.slice(0, messageLimit), {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
    ...(fields === undefined ? {} : { fields }),
    ...(cause === undefined ? {} : { cause }),
  });
}
