import type { Server } from '@grpc/grpc-js';
import type { Devices } from '../actors/device/devices.js';
import type { Renewals } from '../actors/device/renewals.js';
import { sessionError } from '../actors/errors.js';
import type { Enrolment } from '../actors/pairing/enrolment.js';
import type { Pairings } from '../actors/pairing/pairings.js';
import type { Returns } from '../actors/pairing/returns.js';
import type { Sessions } from '../actors/session/sessions.js';
import { ConnectionBudget } from '../adapters/grpc/connection-budget.js';
import { enrollmentHandlers } from '../adapters/grpc/enrollment-service.js';
import { GrpcListener, type ServingIdentity } from '../adapters/grpc/listener.js';
import { nodeHandlers } from '../adapters/grpc/node-service.js';
import { enrollmentWithBytes, NodeService } from '../adapters/grpc/proto.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Authorities } from './authorities.js';
import type { DaemonConfig, ListenConfig } from './config/daemon-config.js';
import { refusalLog } from './refusal-log.js';
import type { ServerCertificates, ServerIdentity } from './server-certificate.js';

export interface NodePortsOptions {
  readonly config: DaemonConfig;
  readonly certificates: ServerCertificates;
  readonly authorities: Authorities;
  readonly kernel: Kernel;
  readonly enrolment: Enrolment;
  readonly returns: Returns;
  readonly pairings: Pairings;
  readonly devices: Devices;
  readonly renewals: Renewals;
  readonly sessions: Sessions;
  readonly servers: { readonly enrollment: Server; readonly node: Server };
  /** What nodes are told, once the ports are bound. */
  advertised(): { readonly enrollment: readonly string[]; readonly node: readonly string[] };
}

/** The two gRPC ports, listening. Addresses are `host:port`. */
export interface NodePorts {
  readonly enrollment: string;
  readonly node: string;
  readonly advertisedEnrollment: readonly string[];
  readonly advertisedNode: readonly string[];
  /** Takes the connections of a device to the node port; the function that is returned cuts them. */
  connectionsOf(deviceId: string): () => void;
  close(graceMs: number): Promise<void>;
}

/**
 * Open connections. Anyone may open one to the enrolment port, so there are few, and few of one address; the machines of
 * the node port have certificates, and many may come from one address.
 */
const openConnections = {
  enrollment: { maxConnections: 2_048, maxConnectionsPerAddress: 256 },
  node: { maxConnections: 20_000, maxConnectionsPerDevice: 16 },
} as const;

/** Opens the enrolment port and the node port. New connections get the certificate that is current then. */
export async function openNodePorts(options: NodePortsOptions): Promise<NodePorts> {
  const { config, authorities, certificates, kernel, servers } = options;
  const budget = new ConnectionBudget(kernel.clock);
  const listenerOf = (port: 'enrollment' | 'node'): GrpcListener =>
    new GrpcListener({
      server: servers[port],
      ...identitiesOf(options, port),
      budget,
      ...openConnections[port],
      onRefused: refusalLog(port, kernel.log, kernel.clock),
      clock: kernel.clock,
    });
  const enrollment = listenerOf('enrollment');
  const node = listenerOf('node');
  addServices(options, enrollment, node);

  const serve = (): void => {
    for (const [port, listener] of [
      ['enrollment', enrollment],
      ['node', node],
    ] as const) {
      const { identity, others } = identitiesOf(options, port);
      listener.setIdentity(identity, others);
    }
  };
  certificates.onRenewed(serve);
  authorities.onChanged(serve);

  const close = async (graceMs: number): Promise<void> => {
    await Promise.all([enrollment.close(graceMs), node.close(graceMs)]);
  };
  try {
    const boundEnrollment = await enrollment.listen(
      config.listen.enrollment.host,
      config.listen.enrollment.port,
    );
    const boundNode = await node.listen(config.listen.node.host, config.listen.node.port);
    return {
      enrollment: hostPort(boundEnrollment),
      node: hostPort(boundNode),
      advertisedEnrollment: advertised(config.listen.enrollment, boundEnrollment),
      advertisedNode: advertised(config.listen.node, boundNode),
      connectionsOf: (deviceId) => node.connectionsOf(deviceId),
      close,
    };
  } catch (thrown) {
    await close(0);
    throw thrown;
  }
}

function addServices(options: NodePortsOptions, enrollment: GrpcListener, node: GrpcListener): void {
  const { authorities, kernel, enrolment, pairings, devices, renewals, sessions, servers } = options;
  servers.enrollment.addService(
    enrollmentWithBytes(),
    enrollmentHandlers({
      enrolment,
      returns: options.returns,
      pairings,
      log: kernel.log,
      clock: kernel.clock,
      caCertificates: () => authorities.caCertificates(),
      nodeAddresses: () => options.advertised().node,
      enrollmentAddresses: () => options.advertised().enrollment,
      addressOf: (call) => enrollment.peerOf(call)?.address ?? 'unknown',
    }),
  );
  servers.node.addService(
    NodeService.service,
    nodeHandlers({
      ...kernel,
      sessions,
      devices,
      renewals,
      peerOf: (call) => {
        const peer = node.deviceOf(call);
        if (!peer) throw sessionError('unknown_device', 'The connection shows no device certificate');
        const { deviceId, fingerprint, notAfter, address } = peer;
        return { deviceId, fingerprint, certificateEnds: notAfter, address };
      },
    }),
  );
}

/**
 * With what a port serves: by whichever CA a node knows, so that none is left without a daemon that it recognises. On the
 * node port the certificates of trusted CAs get in, and no others.
 */
function identitiesOf(
  { authorities, certificates }: NodePortsOptions,
  port: 'enrollment' | 'node',
): { readonly identity: ServingIdentity; readonly others: readonly ServingIdentity[] } {
  const clientCaPems = authorities.trusted.map(({ certificatePem }) => certificatePem);
  const serving = ({ ca, certificatePem, privateKey }: ServerIdentity): ServingIdentity => ({
    certificatePem,
    privateKey,
    caPem: ca.certificatePem,
    ...(port === 'node' ? { clientCaPems } : {}),
  });
  const [first, ...others] = certificates.current;
  return { identity: serving(first), others: others.map(serving) };
}

function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function advertised(
  listen: ListenConfig,
  bound: { readonly host: string; readonly port: number },
): readonly string[] {
  return listen.advertise.length > 0 ? listen.advertise : [hostPort(bound)];
}
