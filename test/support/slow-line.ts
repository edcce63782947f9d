import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** The line of a node that may stop reading: what the daemon sends stays with the daemon, and in the buffers of the system. */
export class SlowLine {
  readonly address: string;
  readonly #server: Server;
  readonly #down = new Set<Socket>();
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const port = Number(target.slice(target.lastIndexOf(':') + 1));
    server.on('connection', (near) => {
      const far = connect({ host: '127.0.0.1', port });
      near.pipe(far);
      far.on('data', (bytes: Buffer) => near.write(bytes));
      this.#down.add(far);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('close', () => other.destroy());
        socket.on('error', () => other.destroy());
      }
    });
  }

  /** @param target `host:port` of the daemon */
  static async to(target: string): Promise<SlowLine> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new SlowLine(server, target);
  }

  /** The node reads nothing more. */
  stop(): void {
    for (const socket of this.#down) socket.pause();
  }

  /** It reads again. */
  go(): void {
    for (const socket of this.#down) socket.resume();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
