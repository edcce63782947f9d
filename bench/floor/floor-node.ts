/** The floor's node side: a bare grpc-js client with mTLS that sends every message back as it came. */
import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { serveRole } from '../role.js';
import type { FloorTarget } from './floor-daemon.js';
import { type FloorMessage, loadFloor } from './floor-proto.js';

export type FloorNodeAsks = {
  connect(target: FloorTarget): Promise<void>;
};

let close = (): void => {};

function connect({ port, ca, key, certificate }: FloorTarget): void {
  const Floor = loadFloor();
  const client = new Floor(
    `127.0.0.1:${port}`,
    credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(certificate)),
    { 'grpc.ssl_target_name_override': 'localhost' },
  );
  const stream: ClientDuplexStream<FloorMessage, FloorMessage> = client.Echo?.();
  stream.on('data', (message: FloorMessage) => void stream.write(message));
  stream.on('error', (error) => console.error(error));
  close = () => client.close();
}

serveRole<FloorNodeAsks>({ connect: async (target) => connect(target) }, async () => close());
