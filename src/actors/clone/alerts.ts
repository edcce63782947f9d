import type { DeviceAlert, DeviceRecord } from '../device/record.js';
import { type CloneCase, isOpenCase } from './record.js';

/** What an operator should look at: what was noted on the device, and the hosts that wait for a decision. */
export function alertsOf(device: DeviceRecord): readonly DeviceAlert[] {
  return [
    ...device.alerts,
    ...device.clones.filter(isOpenCase).map((clone) => ({
      code: 'clone' as const,
      at: clone.lastSeenAt,
      message: `${cloneText(clone)}: palyra devices clone ${device.name}`,
    })),
  ];
}

function cloneText({ state, kind, hostname, address, attempts, backupAt }: CloneCase): string {
  const host = `${hostname || 'A host'} at ${address}`;
  if (state === 'admitted' && kind === 'after_restore') {
    const backup = new Date(backupAt ?? 0).toISOString();
    return `${host} was the first to connect with this identity since the backup of ${backup} was restored, with a ticket that is not in it, as is expected of the device once, and as a clone would: palyra devices allow-restored, or for this one alone`;
  }
  if (state === 'waiting') {
    return `${host} has the identity of this device too and waits for your decision (asked ${attempts === 1 ? 'once' : `${attempts} times`})`;
  }
  const what = kind === 'two_hosts' ? 'after another host had' : 'with an older state';
  return `${host} has connected with this identity ${what}: a clone or a restored copy, for you to decide`;
}
