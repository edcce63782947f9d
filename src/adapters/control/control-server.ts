import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type Clock, systemClock } from '../../kernel/clock.js';
import { toAppError } from '../../kernel/errors.js';
import { controlError } from './control-errors.js';
import { JsonLines } from './json-lines.js';
import { socketPath } from './socket-path.js';

/**
 * Carries out one request of the machine's owner.
 *
 * @param request what came, a JSON object; it is checked by who takes it
 * @param say tells something before the answer
 * @param signal aborts when the other side has gone
 * @returns the answer, a JSON value
 */
export type ControlHandler = (
  request: Readonly<Record<string, unknown>>,
  say: (event: object) => void,
  signal: AbortSignal,
) => Promise<object> | object;

export interface ControlServerOptions {
  /** The state directory. Nobody but its owner may enter it, which is what keeps others from the socket. */
  readonly directory: string;
  /** By the `op` of a request. */
  readonly handlers: Readonly<Record<string, ControlHandler>>;
  readonly clock?: Clock;
}

/** A running server of the socket. */
export interface ControlServer {
  close(): Promise<void>;
}

const longestRequest = 64 * 1024;
const mostConnections = 16;
/** How long a connection may take to say what it wants, milliseconds. */
const requestMs = 5_000;
/** Bytes that may wait for one that does not read. */
const mostWaiting = 1024 * 1024;

/**
 * Listens on the socket of a state directory for the commands of its owner, such as `palyra node status`. One connection is one
 * request: a line `{"op":"…",…}`; then lines `{"event":{…}}`, as many as the operation has, and at last `{"result":{…}}` or
 * `{"error":{…}}`.
 *
 * The caller holds the lock of the directory, so that a socket that is there already is left over from a host that died.
 *
 * @returns undefined where the path of the directory is too long for a socket
 * @throws what the file system throws
 */
export async function openControlServer(options: ControlServerOptions): Promise<ControlServer | undefined> {
  const { path, file, release } = socketPath(options.directory);
  if (path === undefined) return undefined;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    serve(socket, options, open.size > mostConnections);
  });
  try {
    rmSync(file, { force: true });
    await listen(server, path);
    chmodSync(file, 0o600);
  } catch (error) {
    release();
    throw error;
  }
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
      release();
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function serve(
  socket: Socket,
  { handlers, clock = systemClock }: ControlServerOptions,
  isTooMany: boolean,
): void {
  const lines = new JsonLines(longestRequest);
  const gone = new AbortController();
  const patience = clock.setTimeout(() => fail(controlError('no_answer', 'No request came')), requestMs);
  let isAsked = false;
  const say = (message: object): void => {
    if (socket.destroyed) return;
    socket.write(`${JSON.stringify(message)}\n`);
    if (socket.writableLength > mostWaiting) socket.destroy();
  };
  const fail = (thrown: unknown): void => {
    isAsked = true;
    say({ error: toAppError(thrown).toEnvelope() });
    socket.end();
  };
  socket.on('error', () => undefined);
  socket.once('close', () => {
    clock.clearTimeout(patience);
    gone.abort();
  });
  if (isTooMany) {
    fail(controlError('busy', `The node host serves at most ${mostConnections} commands at a time`));
    return;
  }
  socket.on('data', (chunk: Buffer) => {
    if (isAsked) return;
    const request = firstLine(lines, chunk, fail);
    if (request === undefined) return;
    isAsked = true;
    clock.clearTimeout(patience);
    answer(request, handlers, (event) => say({ event }), gone.signal).then((result) => {
      say({ result });
      socket.end();
    }, fail);
  });
}

function firstLine(lines: JsonLines, chunk: Buffer, fail: (thrown: unknown) => void): unknown {
  try {
    return lines.take(chunk)[0];
  } catch (cause) {
    fail(controlError('bad_request', 'What came is no line of JSON, or too long', { cause }));
    return undefined;
  }
}

async function answer(
  request: unknown,
  handlers: ControlServerOptions['handlers'],
  say: (event: object) => void,
  signal: AbortSignal,
): Promise<object> {
  const { op, handler } = handlerOf(request, handlers);
  return handler(op, say, signal);
}

function handlerOf(request: unknown, handlers: ControlServerOptions['handlers']) {
  const asked = typeof request === 'object' && request !== null ? (request as Record<string, unknown>) : {};
  const name = asked.op;
  const handler = typeof name === 'string' && Object.hasOwn(handlers, name) ? handlers[name] : undefined;
  if (handler) return { op: asked, handler };
  throw controlError('bad_request', `There is no operation ${JSON.stringify(name)?.slice(0, 60)}`, {
    hint: 'The node host may be of another version: palyra node restart',
  });
}
