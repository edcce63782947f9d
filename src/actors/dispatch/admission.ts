import { callerLabel, holdsRole, type VerifiedCaller } from '../../kernel/authority.js';
import type { Clock } from '../../kernel/clock.js';
import type { AppError } from '../../kernel/errors.js';
import type { Catalog } from '../../plugins/catalog.js';
import type { Devices } from '../device/devices.js';
import type { DeviceRecord } from '../device/record.js';
import type { CompiledSurface } from '../device/surface.js';
import { dispatchError } from '../errors.js';
import { presenceOf } from '../session/presence.js';
import type { Sessions } from '../session/sessions.js';
import { checkInput, draftDispatch, keyOf } from './draft.js';
import type { KeyedRequest } from './idempotency.js';
import type { LiveDispatches } from './live.js';
import type { DispatchRecord } from './record.js';
import { findNode, resolveCapability, resolveNode } from './targets.js';
import type { CreateDispatch } from './view.js';

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly devices: Devices;
  readonly surface: CompiledSurface;
  readonly catalog: Catalog;
  readonly live: LiveDispatches;
  readonly sessions: Pick<Sessions, 'present' | 'live' | 'hasRoom'>;
  readonly limits: {
    /** Bytes of JSON. */
    readonly input: number;
    /** Unfinished dispatches of one node. */
    readonly perNode: number;
    /** Bytes of their inputs. */
    readonly bytesPerNode: number;
  };
}

/** A request that may become a dispatch, and what would become of it first. */
export interface Admission {
  /** It is nowhere yet. */
  readonly record: DispatchRecord;
  readonly device: DeviceRecord;
  /** `now`: it goes out at once; `line`: when the node has done more of what it has; `return`: when the node is back. */
  readonly goesOut: 'now' | 'line' | 'return';
  /** How many dispatches of the node have not ended. */
  readonly ahead: number;
}

/**
 * Whether a request becomes a dispatch: who asks, of which node, for what, with which input, and whether there is room. The
 * one rule for what is asked for and for what is only tried.
 *
 * @throws AppError as `DispatchControl.create`, but for keys and waiting.
 */
export function admit(caller: VerifiedCaller, request: CreateDispatch, options: AdmissionOptions): Admission {
  const { devices, surface, catalog, live, limits, sessions, clock } = options;
  requireInvoker(caller);
  const device = resolveNode(devices, request.node);
  const entry = resolveCapability(device, request.capability, surface, catalog);
  const byteLength = checkInput(entry, request.input, limits.input);
  const presence = presenceOf(sessions.present(device.id), clock.monotonic());
  if (presence === 'offline' && !request.queue) throw offline(device, clock.now());
  const ahead = live.countOf(device.id);
  if (ahead >= limits.perNode) {
    throw busy(device, `${limits.perNode} unfinished dispatches`, 'queuePerNode', options);
  }
  const waiting = live.bytesOf(device.id);
  if (waiting + byteLength > limits.bytesPerNode) {
    throw busy(device, `${waiting} bytes of input in unfinished dispatches`, 'queueBytesPerNode', options);
  }
  const epoch = sessions.live(device.id)?.epoch ?? 0;
  const record = draftDispatch({ caller, request, device, entry, now: clock.now(), epoch });
  const { capability, descriptorDigest } = record;
  const load = { capability, descriptorDigest, input: { byteLength } };
  const hasRoom = epoch > 0 && sessions.hasRoom(device.id, load);
  return { record, device, ahead, goesOut: presence === 'offline' ? 'return' : hasRoom ? 'now' : 'line' };
}

/**
 * The key that a request counts under; undefined when it needs none. It asks for less than {@link admit}: who asks again with
 * his key learns what became of the first time also when the node is away by now, or may not run it any more.
 *
 * @throws AppError `dispatch.forbidden`, and as `findNode`.
 */
export function keyedRequest(
  caller: VerifiedCaller,
  request: CreateDispatch,
  { devices, surface, catalog }: AdmissionOptions,
): KeyedRequest | undefined {
  const { idempotencyKey, keyIfNeeded, capability, input } = request;
  if (idempotencyKey === undefined && keyIfNeeded === undefined) return undefined;
  requireInvoker(caller);
  const device = findNode(devices, request.node);
  const offered = surface.offered(device, capability);
  const key = keyOf(request, offered && catalog.get(offered.digest)?.descriptor);
  return key === undefined ? undefined : { caller, key, deviceId: device.id, capability, input };
}

/** @throws AppError `dispatch.forbidden`. */
export function requireInvoker(caller: VerifiedCaller): void {
  if (holdsRole(caller, 'invoker')) return;
  throw dispatchError('forbidden', `${callerLabel(caller)} may not run capabilities`, {
    hint: 'It takes a token with the role invoker.',
  });
}

function offline(device: DeviceRecord, now: number): AppError {
  const seen =
    device.lastSeenAt === undefined
      ? ''
      : `, last seen ${Math.round((now - device.lastSeenAt) / 1000)} s ago`;
  return dispatchError('node_offline', `Node ${device.name} is offline${seen}`, {
    hint: 'Start it with `palyra node run`, or use --queue to have it run when the node is back.',
  });
}

function busy(
  device: DeviceRecord,
  what: string,
  setting: string,
  { live, sessions, clock }: AdmissionOptions,
): AppError {
  const isPresent = sessions.present(device.id) !== undefined;
  return dispatchError('busy', `Node ${device.name} has ${what}`, {
    hint: `Wait until some have ended, or raise dispatch.${setting} in palyra.yaml.`,
    details: { retryAfterMs: live.roomIn(device.id, isPresent, clock.monotonic()) },
  });
}
