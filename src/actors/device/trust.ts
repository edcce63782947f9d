import type { DeviceView } from '../control.js';
import type { DeviceRecord } from './record.js';

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
