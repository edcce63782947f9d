import type { Clock } from '../../kernel/clock.js';
import { causeOf } from '../../kernel/journal.js';
import type { KernelLog } from '../../kernel/log.js';
import type { Store } from '../../kernel/store.js';
import { type RecordTable, transact } from '../records.js';
import { decideDevice } from './machine.js';
import type { DeviceRecord, DeviceState } from './record.js';
import { type Bar, type BarringAction, barringActions, isBar, type RevocationLog } from './revocations.js';

const stateOf = {
  revoke: 'revoked',
  remove: 'removed',
  ban: 'banned',
} as const satisfies Record<BarringAction, DeviceState>;

export interface MergeOptions {
  readonly store: Store;
  readonly revocations: RevocationLog;
  readonly clock: Clock;
  readonly log: KernelLog;
}

/**
 * Brings the database and the file of revocations together when the daemon starts. Whatever one of them bars is barred
 * afterwards, in both: nobody is ever let in by a merge. They differ after a crash between the two writes, and when one of
 * them comes from a backup.
 */
export async function mergeRevocations(
  devices: RecordTable<DeviceRecord>,
  { store, revocations, clock, log }: MergeOptions,
): Promise<void> {
  const missing = [...revocations.latest()]
    .filter(isBar)
    .filter((bar) => lacks(devices.get(bar.deviceId), bar));
  if (missing.length > 0) {
    const now = clock.now();
    await transact(store, () => ({
      changes: missing.map((bar) => {
        const event = { type: 'recorded', bar } as const;
        const cause = causeOf(event, bar.by, bar.reason);
        return devices.put(decideDevice(bar.deviceId, devices.get(bar.deviceId), event, now), cause);
      }),
      result: undefined,
    }));
  }
  for (const { deviceId, action, by, reason, at } of missing) {
    log.warn(
      { device: deviceId, action, by, reason, at: new Date(at).toISOString() },
      'The file of revocations bars a device that the database did not: it is barred',
    );
  }
  for (const device of devices.values()) {
    const known = revocations.of(device.id);
    const bar = barOf(device);
    if (!bar || (known && isBar(known))) continue;
    await revocations.append(bar);
    log.warn(
      { device: device.id, action: bar.action },
      'The file of revocations lacked a device that is barred',
    );
  }
}

/** Whether a bar says more than the record: a removed or banned device is as barred as can be. */
function lacks(device: DeviceRecord | undefined, bar: Bar): boolean {
  const state = device?.state ?? 'lifted';
  if (state === 'revoked') return bar.action !== 'revoke';
  return state === 'trusted' || state === 'lifted';
}

/** What the file should hold of a barred device. */
function barOf(device: DeviceRecord): Bar | undefined {
  const action = barringActions.find((one) => stateOf[one] === device.state);
  if (action === undefined) return undefined;
  const decision = device.decisions.findLast(
    (one) => one.action === action || (one.action === 'leave' && action === 'remove'),
  );
  const { at, by, reason } = decision ?? { at: device.updatedAt, by: 'system:daemon', reason: '' };
  return { deviceId: device.id, action, at, by, reason };
}
