import type { FieldError } from '../../kernel/errors.js';
import { type ChildFrame, type Failure, type FrameKind, frameKinds, type LogLevel } from './frames.js';

/** Past this size of its frame, a failure loses what is not its code and message. */
const failureLimit = 64 * 1024;

const levels: readonly unknown[] = ['debug', 'info', 'warn', 'error'] satisfies LogLevel[];

/**
 * Reads what the process of a plugin said. The plugin's code runs in there and can write to the pipe itself, so nothing is
 * taken that is not of the right shape; undefined then.
 */
export function parseChildFrame(kind: FrameKind, text: Buffer): ChildFrame | undefined {
  let frame: Readonly<Record<string, unknown>>;
  try {
    const parsed: unknown = JSON.parse(text.toString('utf8'));
    if (!isRecord(parsed)) return undefined;
    frame = parsed;
  } catch {
    return undefined;
  }
  const { type } = frame;
  if (kind === frameKinds.log) return type === 'log' ? logFrame(frame) : undefined;
  if (kind === frameKinds.progress) {
    const { id, sequence, value } = frame;
    const isProgress = type === 'progress' && isCount(id) && isCount(sequence) && value !== undefined;
    return isProgress ? { type, id, sequence, value } : undefined;
  }
  switch (type) {
    case 'ready':
      return readyFrame(frame);
    case 'refused': {
      const failure = failureIn(frame, text.length);
      return failure && { type, failure };
    }
    case 'done': {
      const { id, output } = frame;
      return isCount(id) && output !== undefined ? { type, id, output } : undefined;
    }
    case 'failed': {
      const failure = failureIn(frame, text.length);
      return failure && isCount(frame.id) ? { type, id: frame.id, failure } : undefined;
    }
    case 'open': {
      const { id, request, url } = frame;
      return isCount(id) && isCount(request) && typeof url === 'string'
        ? { type, id, request, url }
        : undefined;
    }
    case 'pong':
      return { type };
    case 'dropped': {
      const { logs, progress } = frame;
      return isCount(logs) && isCount(progress) ? { type, logs, progress } : undefined;
    }
    default:
      return undefined;
  }
}

function readyFrame({
  protocol,
  plugin,
  build,
  capabilities,
}: Readonly<Record<string, unknown>>): ChildFrame | undefined {
  if (!isCount(protocol) || typeof plugin !== 'string' || typeof build !== 'string') return undefined;
  if (!Array.isArray(capabilities) || !capabilities.every((name) => typeof name === 'string'))
    return undefined;
  return { type: 'ready', protocol, plugin, build, capabilities };
}

function logFrame({ id, level, message, fields }: Readonly<Record<string, unknown>>): ChildFrame | undefined {
  if (!isCount(id) || !levels.includes(level) || typeof message !== 'string') return undefined;
  const line = { type: 'log', id, level: level as LogLevel, message } as const;
  return isRecord(fields) ? { ...line, fields } : line;
}

function failureIn({ failure }: Readonly<Record<string, unknown>>, size: number): Failure | undefined {
  if (!isRecord(failure)) return undefined;
  const { code, message, hint, details, fields, stack } = failure;
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  if (size > failureLimit) return { code, message };
  return {
    code,
    message,
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(isRecord(details) ? { details } : {}),
    ...(Array.isArray(fields) && fields.every(isField) ? { fields } : {}),
    ...(typeof stack === 'string' ? { stack } : {}),
  };
}

function isField(value: unknown): value is FieldError {
  return isRecord(value) && typeof value.field === 'string' && typeof value.message === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
