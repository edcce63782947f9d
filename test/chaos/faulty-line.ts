import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { delay } from './delay.js';

/** Which way bytes go: up is from the node to the daemon. */
export type Direction = 'up' | 'down';

interface Connection {
  readonly near: Socket;
  readonly far: Socket;
  /** Directions in which bytes vanish while both sockets stay open. For good: what follows would be no TLS any more. */
  readonly swallowed: Set<Direction>;
}

/** The network between node and daemon: a TCP proxy that cuts, swallows and delays. */
export class FaultyLine {
  readonly address: string;
  /** How long bytes take each way, milliseconds. */
  latencyMs = 0;
  #upstreamPort = 0;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();

  private constructor(server: Server) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (near) => this.#carry(near));
  }

  static async start(): Promise<FaultyLine> {
    const server = createServer({ noDelay: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new FaultyLine(server);
  }

  /** Where connections lead from now on, `host:port`. */
  leadTo(address: string): void {
    this.#upstreamPort = Number(address.slice(address.lastIndexOf(':') + 1));
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Resets every connection: both sides learn of it. */
  reset(): void {
    for (const { near, far } of this.#connections) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Half-open: what is sent in these directions vanishes, and nobody is told. */
  swallow(...directions: readonly Direction[]): void {
    for (const connection of this.#connections) {
      for (const direction of directions) connection.swallowed.add(direction);
    }
  }

  close(): void {
    this.#server.close();
    this.reset();
  }

  #carry(near: Socket): void {
    const far = connect({ host: '127.0.0.1', port: this.#upstreamPort, noDelay: true });
    const connection: Connection = { near, far, swallowed: new Set() };
    this.#connections.add(connection);
    this.#pass(connection, 'up', near, far);
    this.#pass(connection, 'down', far, near);
  }

  #pass(connection: Connection, direction: Direction, from: Socket, to: Socket): void {
    let sent = Promise.resolve();
    const after = (step: () => void): void => {
      const due = performance.now() + this.latencyMs;
      sent = sent
        .then(() => {
          const left = due - performance.now();
          return left > 0 ? delay(left) : undefined;
        })
        .then(step);
    };
    from.on('data', (bytes: Buffer) => {
      after(() => {
        if (!connection.swallowed.has(direction) && !to.destroyed) to.write(bytes);
      });
    });
    from.on('end', () =>
      after(() => {
        if (!connection.swallowed.has(direction)) to.end();
      }),
    );
    // An error is followed by `close`, and that is all that matters.
    from.on('error', () => undefined);
    from.on('close', () => {
      if (from.destroyed && !connection.swallowed.has(direction)) after(() => to.destroy());
      if (connection.near.destroyed && connection.far.destroyed) this.#connections.delete(connection);
    });
  }
}
