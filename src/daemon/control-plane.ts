import { join } from 'node:path';
import type { Control } from '../actors/control.js';
import { createHttpServer } from '../adapters/http/http-server.js';
import { authenticator, createOrReadTokenFile } from '../adapters/http/operator-token.js';
import type { KernelLog } from '../kernel/log.js';
import type { DaemonConfig } from './config/daemon-config.js';

export interface ControlPlaneOptions {
  readonly config: DaemonConfig;
  /** The state directory: the operator's token lies in it. */
  readonly directory: string;
  readonly control: Control;
  readonly log: KernelLog;
}

/** The HTTP port, listening. */
export interface ControlPlane {
  readonly url: string;
  close(): Promise<void>;
}

/** How long running requests have to end when the daemon stops, milliseconds. */
const closeMs = 1_000;

/** Opens the control plane. The operator's token is made at the first start. */
export async function openControlPlane({
  config,
  directory,
  control,
  log,
}: ControlPlaneOptions): Promise<ControlPlane> {
  const token = await createOrReadTokenFile(join(directory, 'operator.token'));
  const { host, port, advertise } = config.listen.http;
  const server = createHttpServer({
    control,
    authenticate: authenticator(token),
    log,
    ready: () => true,
    advertise,
    // Room for the largest input and what stands around it.
    limits: { body: config.dispatch.inputLimit + 64 * 1024 },
  });
  const { url } = await server.listen(host, port);
  return { url, close: () => server.close(closeMs) };
}
