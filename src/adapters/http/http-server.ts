import type { AddressInfo } from 'node:net';
import { errorTable } from '../../kernel/errors.js';
import { defaultHttpLimits, type HttpAppOptions, type HttpLimits, httpApp } from './http-app.js';

const listenError = errorTable('http', { cannot_listen: { category: 'precondition', retryable: true } });

export interface HttpServerOptions extends Omit<HttpAppOptions, 'limits' | 'advertise'> {
  readonly limits?: Partial<HttpLimits>;
  readonly advertise?: readonly string[];
}

/** Where the server listens. `url` is for callers on this machine. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

export interface HttpServer {
  /**
   * @param port 0 takes any free one
   * @throws AppError `http.cannot_listen` when the port is taken or the address is not one of this machine.
   */
  listen(host: string, port: number): Promise<HttpAddress>;
  /** Takes nothing new, lets running requests end for that many milliseconds (default 5000), then cuts them. Idempotent. */
  close(graceMs?: number): Promise<void>;
}

/**
 * The HTTP API of the daemon.
 *
 * @example
 * const token = await createOrReadTokenFile(state.file('operator.token'));
 * const server = createHttpServer({ control, authenticate: authenticator(token), log, ready: () => true });
 * const { url } = await server.listen('127.0.0.1', 7142);
 */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  let open = true;
  const app = httpApp({
    ...options,
    advertise: options.advertise ?? [],
    limits: { ...defaultHttpLimits, ...options.limits },
    ready: () => open && options.ready(),
  });
  return {
    async listen(host, port) {
      try {
        await app.listen({ host, port });
      } catch (cause) {
        throw cannotListen(host, port, cause);
      }
      return addressOf(app.server.address() as AddressInfo);
    },
    async close(graceMs = 5_000) {
      open = false;
      const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
      try {
        await app.close();
      } finally {
        clearTimeout(cut);
      }
    },
  };
}

function addressOf({ address, port, family }: AddressInfo): HttpAddress {
  const reachable = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  const host = family === 'IPv6' ? `[${reachable}]` : reachable;
  return { host: address, port, url: `http://${host}:${port}` };
}

function cannotListen(host: string, port: number, cause: unknown) {
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = code === 'EADDRINUSE' ? 'another program listens there' : message;
  return listenError('cannot_listen', `The control plane can't listen on ${host}, port ${port}: ${why}`, {
    hint: 'Stop the other program, or choose another port with --http-port or listen.http.bind in palyra.yaml.',
    cause,
  });
}
