import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { type Clock, systemClock } from '../../kernel/clock.js';
import { AppError, type ErrorEnvelope } from '../../kernel/errors.js';
import { controlError } from './control-errors.js';
import { JsonLines } from './json-lines.js';
import { socketPath } from './socket-path.js';

export interface ControlCall {
  /** The state directory of the node host. */
  readonly directory: string;
  /** `op`, and what the operation takes. */
  readonly request: { readonly op: string } & Readonly<Record<string, unknown>>;
  /** How long the answer may take, milliseconds. */
  readonly limitMs: number;
  /** What it says before the answer. */
  readonly onEvent?: (event: unknown) => void;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** The host is the owner's own program; this keeps one that is broken from taking all memory. */
const longestAnswer = 8 * 1024 * 1024;

/**
 * Asks the node host of a state directory for something.
 *
 * @returns its answer, as it came
 * @throws AppError `control.not_running` where no host listens, `control.no_answer` when the time is over, `control.ended` when it
 *   hangs up or the signal aborts, and what the host answers.
 */
export function callHost(call: ControlCall): Promise<unknown> {
  const { clock = systemClock, signal } = call;
  const { path, file, release } = openPath(call.directory);
  return new Promise<unknown>((resolve, reject) => {
    if (path === undefined || !isOwnSocket(file)) {
      reject(notRunning());
      return;
    }
    const socket = connect(path);
    const lines = new JsonLines(longestAnswer);
    const timer = clock.setTimeout(
      () =>
        over(
          controlError('no_answer', 'The node host does not answer', {
            hint: 'See what it does: palyra node logs',
          }),
        ),
      call.limitMs,
    );
    const over = (error: AppError | undefined, result?: unknown): void => {
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      socket.destroy();
      if (error) reject(error);
      else resolve(result);
    };
    const aborted = (): void => over(controlError('ended', 'It was given up'));
    signal?.addEventListener('abort', aborted, { once: true });
    socket.once('connect', () => socket.write(`${JSON.stringify(call.request)}\n`));
    socket.once('error', (cause: NodeJS.ErrnoException) =>
      over(['ENOENT', 'ECONNREFUSED'].includes(cause.code ?? '') ? notRunning(cause) : hungUp(cause)),
    );
    socket.once('close', () => over(hungUp()));
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of lines.take(chunk)) take(message as Message);
      } catch (cause) {
        over(hungUp(cause));
      }
    });
    const take = (message: Message): void => {
      if (message.event !== undefined) call.onEvent?.(message.event);
      else if (message.error !== undefined) over(AppError.fromEnvelope(message.error));
      else over(undefined, message.result);
    };
  }).finally(release);
}

interface Message {
  readonly event?: unknown;
  readonly error?: ErrorEnvelope;
  readonly result?: unknown;
}

/** A directory that is not there has no socket. */
function openPath(directory: string) {
  try {
    return socketPath(directory);
  } catch {
    return { path: undefined, file: '', release: () => undefined };
  }
}

/** Whether the socket was made by this user: where the directory is another's, its owner could pretend to be the host. */
function isOwnSocket(file: string): boolean {
  try {
    const stats = lstatSync(file);
    return stats.isSocket() && (process.getuid === undefined || stats.uid === process.getuid());
  } catch {
    return false;
  }
}

function notRunning(cause?: unknown) {
  return controlError('not_running', 'No node host runs on this state directory', {
    hint: 'Start it: palyra node start',
    cause,
  });
}

function hungUp(cause?: unknown) {
  return controlError('ended', 'The node host hung up', { cause });
}
