import { type Role, verifiedCaller } from '../../../kernel/authority.js';
import type { KernelLog } from '../../../kernel/log.js';
import {
  createHttpServer,
  type HttpAddress,
  type HttpServer,
  type HttpServerOptions,
} from '../http-server.js';
import { FakeControl } from './fake-control.js';

/** The token of the one operator with that role. */
export function tokenOf(role: Role): string {
  return `pat_${role}`;
}

/** A real server on a free loopback port over a {@link FakeControl}, and what it logged. */
export interface TestServer extends HttpAddress {
  readonly control: FakeControl;
  readonly server: HttpServer;
  readonly logged: { readonly level: keyof KernelLog; readonly fields: object; readonly message: string }[];
}

export async function startTestServer(options: Partial<HttpServerOptions> = {}): Promise<TestServer> {
  const control = new FakeControl();
  const logged: TestServer['logged'] = [];
  const note = (level: keyof KernelLog) => (fields: object, message: string) => {
    logged.push({ level, fields, message });
  };
  const holders = new Map(
    (['viewer', 'invoker', 'approver', 'admin'] as const).map((role) => [
      tokenOf(role),
      verifiedCaller({ kind: 'operator', name: role, role }),
    ]),
  );
  const server = createHttpServer({
    control,
    authenticate: (token) => holders.get(token),
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    ready: () => true,
    ...options,
  });
  const address = await server.listen('127.0.0.1', 0);
  return { ...address, control, server, logged };
}
