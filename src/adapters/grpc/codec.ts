/**
 * Between proto messages and what the actors speak. The only file, beside the loader, `codec-surface.ts` and `codec-result.ts`, that sees the generated types.
 * Nothing from the wire is trusted here; a missing message becomes its empty value and is refused by who needs it.
 */
import type { HostFacts } from '../../actors/device/record.js';
import type {
  CancelOutcome,
  DaemonFrame,
  DispatchOrder,
  GoodbyeKind,
  Hello,
  InFlightPhase,
  NodeFrame,
  PluginAnnouncement,
  ProtocolVersion,
  Registered,
  RegisterNode,
} from '../../actors/link/frames.js';
import { type PluginStanding, permissionKinds } from '../../plugins/standing.js';
import { resultFromWire, resultToWire, short } from './codec-result.js';
import { effectiveSurfaceFromWire, effectiveSurfaceToWire } from './codec-surface.js';
import type {
  DaemonFrame__Output,
  DaemonFrame as WireDaemonFrame,
} from './gen/palyra/node/v1/DaemonFrame.js';
import type { HostFacts__Output, HostFacts as WireHostFacts } from './gen/palyra/node/v1/HostFacts.js';
import type { NodeFrame__Output, NodeFrame as WireNodeFrame } from './gen/palyra/node/v1/NodeFrame.js';
import type { PluginAnnouncement__Output } from './gen/palyra/node/v1/PluginAnnouncement.js';
import type { PluginStanding__Output } from './gen/palyra/node/v1/PluginStanding.js';
import type { ProtocolVersion__Output } from './gen/palyra/node/v1/ProtocolVersion.js';
import type { RegisterNodeReply, RegisterNodeReply__Output } from './gen/palyra/node/v1/RegisterNodeReply.js';
import type {
  RegisterNodeRequest,
  RegisterNodeRequest__Output,
} from './gen/palyra/node/v1/RegisterNodeRequest.js';

export function protocolFromWire(wire: ProtocolVersion__Output | null): ProtocolVersion {
  return { major: wire?.major ?? 0, minor: wire?.minor ?? 0, features: wire?.features ?? [] };
}

export function protocolToWire(protocol: ProtocolVersion) {
  return { major: protocol.major, minor: protocol.minor, features: [...protocol.features] };
}

export function factsFromWire(wire: HostFacts__Output | null): HostFacts {
  return {
    hostname: short(wire?.hostname ?? ''),
    platform: short(wire?.platform ?? ''),
    arch: short(wire?.arch ?? ''),
    osRelease: short(wire?.osRelease ?? ''),
    nodeVersion: short(wire?.nodeVersion ?? ''),
    palyraVersion: short(wire?.palyraVersion ?? ''),
  };
}

export function factsToWire(facts: HostFacts): WireHostFacts {
  return { ...facts };
}

export function pluginsFromWire(wire: readonly PluginAnnouncement__Output[]): readonly PluginAnnouncement[] {
  return wire.map((plugin) => ({
    name: plugin.name,
    version: short(plugin.version),
    buildDigest: short(plugin.buildDigest),
    descriptors: plugin.descriptors,
    ...(plugin.standing === null ? {} : { standing: standingFromWire(plugin.standing) }),
  }));
}

/** What a node says of kinds that this daemon does not know is left out. */
function standingFromWire({ isolation, enforced, disabled }: PluginStanding__Output): PluginStanding {
  return {
    isolation: isolation === 'process' ? 'process' : 'inline',
    enforced: permissionKinds.filter((kind) => enforced.includes(kind)),
    ...(disabled === '' ? {} : { disabled: disabled.slice(0, 1_000) }),
  };
}

export function pluginsToWire(plugins: readonly PluginAnnouncement[]) {
  return plugins.map((plugin) => ({
    ...plugin,
    standing:
      plugin.standing === undefined ? null : { ...plugin.standing, enforced: [...plugin.standing.enforced] },
    descriptors: plugin.descriptors.map((one) => ({ ...one, descriptor: Buffer.from(one.descriptor) })),
  }));
}

export function registerFromWire(wire: RegisterNodeRequest__Output): RegisterNode {
  return {
    protocol: protocolFromWire(wire.protocol),
    deviceId: wire.deviceId,
    facts: factsFromWire(wire.facts),
    plugins: pluginsFromWire(wire.plugins),
    clockMs: wire.clockMs,
  };
}

export function registerToWire(request: RegisterNode): RegisterNodeRequest {
  return {
    protocol: protocolToWire(request.protocol),
    deviceId: request.deviceId,
    facts: factsToWire(request.facts),
    plugins: pluginsToWire(request.plugins),
    clockMs: request.clockMs,
  };
}

export function registeredToWire(registered: Registered): RegisterNodeReply {
  return {
    ...registered,
    protocol: protocolToWire(registered.protocol),
    ...effectiveSurfaceToWire(registered),
  };
}

export function registeredFromWire(wire: RegisterNodeReply__Output): Registered {
  return {
    protocol: protocolFromWire(wire.protocol),
    epoch: wire.epoch,
    name: wire.name,
    ...effectiveSurfaceFromWire(wire),
  };
}

const phaseToWire = {
  received: 'RECEIVED',
  started: 'STARTED',
  finished: 'FINISHED',
  interrupted: 'INTERRUPTED',
  cancelled: 'CANCELLED',
} as const;
const phaseFromWire: Readonly<Record<string, InFlightPhase>> = {
  RECEIVED: 'received',
  STARTED: 'started',
  FINISHED: 'finished',
  INTERRUPTED: 'interrupted',
  CANCELLED: 'cancelled',
};

function helloFromWire(wire: NonNullable<NodeFrame__Output['hello']>): Hello {
  return {
    epoch: wire.epoch,
    surfaceDigest: wire.surfaceDigest,
    ticket: wire.ticket,
    inFlight: wire.inFlight.map(({ dispatchId, phase }) => ({
      dispatchId,
      phase: phaseFromWire[phase] ?? 'received',
    })),
    handedOver: wire.handedOver,
    instance: wire.instance,
  };
}

const cancelToWire = {
  not_known: 'NOT_KNOWN',
  stopping: 'STOPPING',
  already_finished: 'ALREADY_FINISHED',
} as const;
const cancelFromWire: Readonly<Record<string, CancelOutcome['outcome']>> = {
  NOT_KNOWN: 'not_known',
  STOPPING: 'stopping',
};

export function nodeFrameFromWire(wire: NodeFrame__Output): NodeFrame {
  return {
    sentAtMs: wire.sentAtMs,
    ...(wire.hello ? { hello: helloFromWire(wire.hello) } : {}),
    ...(wire.ready ? { ready: true } : {}),
    ...(wire.heartbeat ? { heartbeat: wire.heartbeat } : {}),
    ...(wire.goodbye ? { goodbye: wire.goodbye } : {}),
    ...(wire.pong === 0 ? {} : { pong: wire.pong }),
    started: wire.started.map((one) => one.dispatchId),
    mediation: wire.mediation,
    progress: wire.progress,
    results: wire.results.map(resultFromWire),
    cancelOutcomes: wire.cancelOutcomes.map(({ dispatchId, outcome }) => ({
      dispatchId,
      outcome: cancelFromWire[outcome] ?? 'already_finished',
    })),
  };
}

export function nodeFrameToWire(frame: NodeFrame): WireNodeFrame {
  const wire: WireNodeFrame = { sentAtMs: frame.sentAtMs ?? 0 };
  if (frame.hello) {
    wire.hello = {
      ...frame.hello,
      ticket: Buffer.from(frame.hello.ticket),
      instance: Buffer.from(frame.hello.instance),
      inFlight: frame.hello.inFlight.map(({ dispatchId, phase }) => ({
        dispatchId,
        phase: phaseToWire[phase],
      })),
    };
  }
  if (frame.ready) wire.ready = {};
  if (frame.heartbeat) wire.heartbeat = frame.heartbeat;
  if (frame.goodbye) wire.goodbye = frame.goodbye;
  if (frame.pong) wire.pong = frame.pong;
  if (frame.started) wire.started = frame.started.map((dispatchId) => ({ dispatchId }));
  if (frame.mediation) wire.mediation = [...frame.mediation];
  if (frame.progress) wire.progress = frame.progress.map((one) => ({ ...one, value: one.value as Buffer }));
  if (frame.results) wire.results = frame.results.map(resultToWire);
  if (frame.cancelOutcomes) {
    wire.cancelOutcomes = frame.cancelOutcomes.map(({ dispatchId, outcome }) => ({
      dispatchId,
      outcome: cancelToWire[outcome],
    }));
  }
  return wire;
}

const goodbyeToWire = {
  shutdown: 'SHUTDOWN',
  replaced: 'REPLACED',
  revoked: 'REVOKED',
  protocol_error: 'PROTOCOL_ERROR',
  certificate_expired: 'CERTIFICATE_EXPIRED',
  reconnect: 'RECONNECT',
} as const;
const goodbyeFromWire: Readonly<Record<string, GoodbyeKind>> = {
  REPLACED: 'replaced',
  REVOKED: 'revoked',
  PROTOCOL_ERROR: 'protocol_error',
  CERTIFICATE_EXPIRED: 'certificate_expired',
  RECONNECT: 'reconnect',
};

export function daemonFrameFromWire(wire: DaemonFrame__Output): DaemonFrame {
  return {
    sentAtMs: wire.sentAtMs,
    ...(wire.welcome ? { welcome: wire.welcome } : {}),
    dispatches: wire.dispatches as readonly DispatchOrder[],
    cancels: wire.cancels,
    settled: wire.settled,
    ...(wire.renew ? { renew: wire.renew } : {}),
    ...(wire.surface ? { surface: effectiveSurfaceFromWire(wire.surface) } : {}),
    ...(wire.ping === 0 ? {} : { ping: wire.ping }),
    ...(wire.goodbye
      ? { goodbye: { reason: wire.goodbye.reason, kind: goodbyeFromWire[wire.goodbye.kind] ?? 'shutdown' } }
      : {}),
    heartbeatAck: wire.heartbeatAck,
  };
}

export function daemonFrameToWire(frame: DaemonFrame): WireDaemonFrame {
  const wire: WireDaemonFrame = { sentAtMs: frame.sentAtMs ?? 0 };
  if (frame.welcome) {
    wire.welcome = {
      ...frame.welcome,
      ticket: Buffer.from(frame.welcome.ticket),
      settled: [...frame.welcome.settled],
    };
  }
  if (frame.dispatches)
    wire.dispatches = frame.dispatches.map((order) => ({ ...order, input: order.input as Buffer }));
  if (frame.cancels) wire.cancels = [...frame.cancels];
  if (frame.settled) wire.settled = [...frame.settled];
  if (frame.renew) wire.renew = frame.renew;
  if (frame.surface) wire.surface = effectiveSurfaceToWire(frame.surface);
  if (frame.ping) wire.ping = frame.ping;
  if (frame.goodbye) wire.goodbye = { reason: frame.goodbye.reason, kind: goodbyeToWire[frame.goodbye.kind] };
  if (frame.heartbeatAck) wire.heartbeatAck = true;
  return wire;
}
