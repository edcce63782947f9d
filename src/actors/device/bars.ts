import type { AppError } from '../../kernel/errors.js';
import { pairingError } from '../errors.js';
import type { DeviceDecision, DeviceRecord, DeviceState } from './record.js';

/** That a device is shut out: by an operator, or by its owner, who took it out. */
export interface DeviceBar {
  readonly state: 'revoked' | 'removed' | 'banned';
  /** A caller label. */
  readonly by: string;
  readonly reason: string;
}

/** How a device is shut out, by whom and why; undefined when it is not. */
export function barOf({
  state,
  decisions,
}: Pick<DeviceRecord, 'state' | 'decisions'>): DeviceBar | undefined {
  if (!isBarred(state)) return undefined;
  const decision = decisions.findLast(({ action }) => bars.has(action));
  return { state, by: decision?.by ?? 'system:daemon', reason: decision?.reason ?? '' };
}

/** Whether a device in this state stays out until an operator lifts that. */
export function isBarred(state: DeviceState): state is DeviceBar['state'] {
  return state === 'revoked' || state === 'removed' || state === 'banned';
}

const bars: ReadonlySet<DeviceDecision['action']> = new Set(['revoke', 'remove', 'ban', 'leave']);

/** That a device is shut out, in the words of who decided it. */
export function barText(deviceId: string, { state, reason }: DeviceBar): string {
  return `Device ${deviceId} is ${state}${reason === '' ? '' : `: ${reason}`}`;
}

/** How a device that is shut out comes in again. */
export function liftHint({ name, id }: Pick<DeviceRecord, 'name' | 'id'>): string {
  return `It stays out until an operator of the daemon lifts this: palyra devices lift ${name || id}`;
}

/**
 * Lets a device go on that may pair (spec section 4).
 *
 * @throws AppError `pairing.device_barred` for one that an operator shut out.
 */
export function refuseBarred(device: DeviceRecord | undefined): void {
  const bar = device && barOf(device);
  if (bar) throw barredFromPairing(device, bar);
}

/** Why a device that is shut out may not pair. */
export function barredFromPairing(device: DeviceRecord, bar: DeviceBar): AppError {
  return pairingError('device_barred', barText(device.id, bar), { hint: liftHint(device) });
}
