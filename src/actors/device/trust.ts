import type { DeviceRecord } from './record.js';
import type { DeviceView, TrustState } from './view.js';

/** When the newest certificate of a device ends, milliseconds since the epoch; undefined when it has none. */
export function certificateEndOf(device: DeviceRecord): number | undefined {
  if (device.certificates.length === 0) return undefined;
  return Math.max(...device.certificates.map((certificate) => certificate.notAfter));
}

/** The operator's word on a device, and whether it can act on it: `expired` is trusted without a certificate in force. */
export function trustOf(device: DeviceRecord, now: number): DeviceView['trust'] {
  if (device.state !== 'trusted') return device.state;
  return (certificateEndOf(device) ?? 0) > now ? 'trusted' : 'expired';
}

/** Whether a list has it: what it was asked for, else all but those of which only the id is left. */
export function isShown<T extends TrustState>(trust: T, asked: readonly T[] | undefined): boolean {
  return asked?.includes(trust) ?? (trust !== 'removed' && trust !== 'banned' && trust !== 'lifted');
}
