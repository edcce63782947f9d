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
import { checkInput, draftDispatch } from './draft.js';
import type { LiveDispatches } from './live.js';
import type { DispatchRecord } from './record.js';
import { resolveCapability, resolveNode } from './targets.js';
import type { CreateDispatch } from './view.js';

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly devices: Devices;
  readonly surface: CompiledSurface;
  readonly catalog: Catalog;
  readonly live: LiveDispatches;
  readonly sessions: Pick<Sessions, 'present' | 'live'>;
  readonly limits: {
    /** Bytes of JSON. */
    readonly input: number;
    /** Unfinished dispatches of one node. */
    readonly perNode: number;
  };
}

/**
 * Whether a request becomes a dispatch: who asks, of which node, for what, with which input, and whether there is room.
 *
 * @returns its record, which is nowhere yet.
 * @throws AppError as `DispatchControl.create`, but for keys and waiting.
 */
export function admit(
  caller: VerifiedCaller,
  request: CreateDispatch,
  { devices, surface, catalog, live, limits, sessions, clock }: AdmissionOptions,
): DispatchRecord {
  requireInvoker(caller);
  const device = resolveNode(devices, request.node);
  const entry = resolveCapability(device, request.capability, surface, catalog);
  checkInput(entry, request.input, limits.input);
  const presence = presenceOf(sessions.present(device.id), clock.monotonic());
  if (presence === 'offline' && !request.queue) throw offline(device, clock.now());
  if (live.countOf(device.id) >= limits.perNode) {
    throw dispatchError('busy', `Node ${device.name} has ${limits.perNode} unfinished dispatches`, {
      hint: 'Wait until some have ended, or raise dispatch.queuePerNode in palyra.yaml.',
    });
  }
  const epoch = sessions.live(device.id)?.epoch ?? 0;
  return draftDispatch({ caller, request, device, entry, now: clock.now(), epoch });
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
