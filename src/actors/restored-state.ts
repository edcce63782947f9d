import type { Clock } from '../kernel/clock.js';
import type { PutOperation, Store, StoreOperation } from '../kernel/store.js';
import type { DeviceRecord } from './device/record.js';
import { type DispatchRecord, liveDispatchStates } from './dispatch/record.js';
import { step } from './dispatch/steps.js';
import { restoredFanouts } from './fanout/restored.js';
import type { PairingCodeRecord } from './pairing/record.js';
import { eachStored, fromStored, RecordTable, toOperation } from './records.js';

/**
 * That a database came from a backup, for the first start with it. Kind `restore`; `createdAt` is when it was restored.
 * While it is `pending`, what the database says of its time has not been corrected.
 */
export interface RestoreRecord {
  readonly id: string;
  readonly version: number;
  readonly state: 'pending' | 'done';
  /** When the backup was made, milliseconds since the epoch. */
  readonly backupAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What the first start after a restore has corrected. */
export interface RestoredState {
  readonly backupAt: number;
  /** Dispatches that became `outcome_unknown`. */
  readonly unknown: number;
  /** Codes that were cancelled. */
  readonly codes: number;
  readonly devices: number;
}

const kind = 'restore';

/**
 * How far the epoch of each device is moved on: more registrations than a device can have made since the backup, so that
 * no epoch is given out twice.
 */
const epochStep = 1_000_000;

/** Marks a database as restored. Write it before the first start. */
export function restoreMark(id: string, backupAt: number, now: number): PutOperation {
  const record: RestoreRecord = {
    id,
    version: 1,
    state: 'pending',
    backupAt,
    createdAt: now,
    updatedAt: now,
  };
  return toOperation(kind, '', record);
}

/**
 * Corrects what a restored database can't know, once, in one transaction with the mark itself (protocol.md 20). Nothing may
 * run yet.
 *
 * Work that may not run twice and had not ended may have run since the backup: it becomes `outcome_unknown`, also what was
 * only queued. A code that was live may have been used or cancelled since: it is cancelled. Epochs are moved on, and devices
 * are marked: the next ticket of each may be one that the backup does not know.
 *
 * @returns undefined when the database does not come from a backup, or was corrected before.
 */
export async function settleRestored(store: Store, clock: Clock): Promise<RestoredState | undefined> {
  const now = clock.now();
  const marks: RestoreRecord[] = [];
  for await (const stored of eachStored(store, kind, ['pending']))
    marks.push(fromStored<RestoreRecord>(stored));
  const [mark] = marks;
  if (mark === undefined) return undefined;
  const dispatches = await unknownDispatches(store, now);
  const fanouts = await restoredFanouts(store, now);
  const codes = await cancelledCodes(store, now);
  const devices = await movedOnDevices(store, mark.backupAt, now);
  const done = marks.map((one) =>
    toOperation(kind, '', { ...one, state: 'done' as const, version: one.version + 1, updatedAt: now }),
  );
  await store.commit([...dispatches, ...fanouts, ...codes, ...devices, ...done], 'fsync');
  return {
    backupAt: mark.backupAt,
    unknown: dispatches.length,
    codes: codes.length,
    devices: devices.length,
  };
}

async function unknownDispatches(store: Store, now: number): Promise<readonly StoreOperation[]> {
  const operations: PutOperation[] = [];
  for await (const stored of eachStored(store, 'dispatch', liveDispatchStates)) {
    const record = fromStored<DispatchRecord>(stored);
    if (record.repeatable) continue;
    const cause = { event: 'restored', by: 'system:daemon', note: 'restored' };
    const ended: DispatchRecord = {
      ...step(record, 'outcome_unknown', now, cause),
      outcome: { state: 'outcome_unknown', reason: 'restored' },
      finishedAt: now,
      version: record.version + 1,
    };
    operations.push(toOperation('dispatch', record.deviceId, ended));
  }
  return operations;
}

async function cancelledCodes(store: Store, now: number): Promise<readonly StoreOperation[]> {
  const codes = new RecordTable<PairingCodeRecord>('pairing-code');
  await codes.load(store);
  const cause = { event: 'restored', by: 'system:daemon', note: 'it may have been used since the backup' };
  return [...codes.values()]
    .filter(({ state }) => state === 'live')
    .map((code) => {
      const cancelled = { ...code, state: 'cancelled' as const, endReason: cause.note, updatedAt: now };
      return codes.put(cancelled, cause).operation;
    });
}

async function movedOnDevices(
  store: Store,
  backupAt: number,
  now: number,
): Promise<readonly StoreOperation[]> {
  const devices = new RecordTable<DeviceRecord>('device', ({ id }) => id);
  await devices.load(store);
  return [...devices.values()].map((device) => {
    const ticket = { ...device.ticket, restoredFrom: backupAt };
    return devices.put({ ...device, epoch: device.epoch + epochStep, ticket, updatedAt: now }).operation;
  });
}
