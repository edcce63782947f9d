/**
 * What daemon and node say to each other on a live session, as the actors see it. `adapters/grpc/codec.ts` turns it
 * into proto messages and back. JSON values stay bytes here, so that each is parsed once, where it is needed.
 */
import type { ErrorEnvelope } from '../../kernel/errors.js';
import type { PluginStanding } from '../../plugins/standing.js';
import type { HostFacts } from '../device/record.js';
import type { Allowance } from '../mediation/permission.js';

export interface ProtocolVersion {
  readonly major: number;
  readonly minor: number;
  readonly features: readonly string[];
}

/** What this build speaks. The daemon serves this minor version and the one before. */
export const protocolVersion: ProtocolVersion = { major: 1, minor: 0, features: [] };

export interface DescriptorAnnouncement {
  readonly digest: string;
  readonly capability: string;
  /** The descriptor as JSON. */
  readonly descriptor: Uint8Array;
}

export interface PluginAnnouncement {
  readonly name: string;
  readonly version: string;
  readonly buildDigest: string;
  readonly descriptors: readonly DescriptorAnnouncement[];
  /** Absent where the node says nothing of it. */
  readonly standing?: PluginStanding;
}

export interface RegisterNode {
  readonly protocol: ProtocolVersion;
  readonly deviceId: string;
  readonly facts: HostFacts;
  readonly plugins: readonly PluginAnnouncement[];
  readonly clockMs: number;
}

export type SurfaceStatus = 'accepted' | 'not_enabled' | 'not_approved';

export interface SurfaceVerdict {
  readonly digest: string;
  readonly capability: string;
  readonly status: SurfaceStatus;
}

/** What the operator of the daemon sets for one plugin. */
export interface PluginSettings {
  readonly plugin: string;
  /** A JSON object. */
  readonly settings: Uint8Array;
}

/** What becomes of what a node offers. */
export interface EffectiveSurface {
  readonly surface: readonly SurfaceVerdict[];
  readonly surfaceDigest: string;
  /** Of plugins of which something is accepted. */
  readonly settings: readonly PluginSettings[];
}

export interface Registered extends EffectiveSurface {
  readonly protocol: ProtocolVersion;
  readonly epoch: number;
  readonly name: string;
}

/** How far the node came with one dispatch when it opened the session. */
export type InFlightPhase = 'received' | 'started' | 'finished' | 'interrupted' | 'cancelled';

export interface InFlight {
  readonly dispatchId: string;
  readonly phase: InFlightPhase;
}

export interface Hello {
  readonly epoch: number;
  readonly surfaceDigest: string;
  readonly ticket: Uint8Array;
  readonly inFlight: readonly InFlight[];
  readonly handedOver: boolean;
  /** Made by the node host when it started, and on no disk. */
  readonly instance: Uint8Array;
}

export type NodeOutcome = 'succeeded' | 'failed' | 'rejected' | 'timed_out' | 'cancelled' | 'unknown';

export interface NodeResult {
  readonly dispatchId: string;
  readonly outcome: NodeOutcome;
  /** For `rejected`: why. */
  readonly reason: string;
  /** For `succeeded`: a JSON value. */
  readonly output: Uint8Array;
  /** For all others. */
  readonly error?: ErrorEnvelope;
  readonly durationMs: number;
  readonly started: boolean;
  /** What let it run, where the person at the node is to be asked. */
  readonly allowed?: Allowance;
}

export interface NodeProgress {
  readonly dispatchId: string;
  readonly sequence: number;
  readonly value: Uint8Array;
}

export interface CancelOutcome {
  readonly dispatchId: string;
  readonly outcome: 'not_known' | 'stopping' | 'already_finished';
}

/** From the node to the daemon: everything that was ready in one turn. */
export interface NodeFrame {
  readonly sentAtMs?: number;
  readonly hello?: Hello;
  readonly ready?: boolean;
  readonly heartbeat?: { readonly inFlight: number };
  readonly started?: readonly string[];
  readonly mediation?: readonly { readonly dispatchId: string; readonly waiting: boolean }[];
  readonly progress?: readonly NodeProgress[];
  readonly results?: readonly NodeResult[];
  readonly cancelOutcomes?: readonly CancelOutcome[];
  readonly goodbye?: { readonly reason: string; readonly handingOver: boolean };
  readonly pong?: number;
}

export interface DispatchOrder {
  readonly dispatchId: string;
  readonly capability: string;
  readonly descriptorDigest: string;
  /** A JSON value. */
  readonly input: Uint8Array;
  /** Milliseconds that the handler may run from when the frame was sent. */
  readonly timeoutMs: number;
  /** By the daemon's clock, milliseconds since the epoch: nothing starts after it. */
  readonly latestEndMs: number;
  readonly caller: string;
  readonly mediationTimeoutMs: number;
  readonly repeatable: boolean;
}

export interface CancelOrder {
  readonly dispatchId: string;
  readonly reason: string;
}

export interface Welcome {
  readonly ticket: Uint8Array;
  readonly heartbeatMs: number;
  readonly window: number;
  readonly settled: readonly string[];
}

export type GoodbyeKind =
  | 'shutdown'
  | 'replaced'
  | 'revoked'
  | 'protocol_error'
  | 'certificate_expired'
  | 'reconnect';

/** From the daemon to the node: everything that was ready in one turn. */
export interface DaemonFrame {
  readonly sentAtMs?: number;
  readonly welcome?: Welcome;
  readonly dispatches?: readonly DispatchOrder[];
  readonly cancels?: readonly CancelOrder[];
  readonly settled?: readonly string[];
  readonly renew?: { readonly reason: string };
  readonly goodbye?: { readonly reason: string; readonly kind: GoodbyeKind };
  readonly heartbeatAck?: boolean;
  readonly surface?: EffectiveSurface;
  readonly ping?: number;
}
