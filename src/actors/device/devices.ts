import type { AppError } from '../../kernel/errors.js';
import type { Cause } from '../../kernel/journal.js';
import type { Store } from '../../kernel/store.js';
import { sessionError } from '../errors.js';
import { type Change, RecordTable, transact } from '../records.js';
import type { DeviceAlert, DeviceRecord } from './record.js';

const maxAlerts = 20;

/** Every device that was ever approved, in memory and written through. */
export class Devices {
  readonly #table = new RecordTable<DeviceRecord>('device', (device) => device.id);
  readonly #store: Store;

  private constructor(store: Store) {
    this.#store = store;
  }

  /** Reads all devices from the store. */
  static async open(store: Store): Promise<Devices> {
    const devices = new Devices(store);
    await devices.#table.load(store);
    return devices;
  }

  get(id: string): DeviceRecord | undefined {
    return this.#table.get(id);
  }

  all(): IterableIterator<DeviceRecord> {
    return this.#table.values();
  }

  /** The change that makes `next` the device's record, for a transaction with other records. */
  put(next: Omit<DeviceRecord, 'version'>, cause?: Cause): Change {
    return this.#table.put(next, cause);
  }

  /**
   * Changes one device. `change` gets the record as it is when the commit is tried; `undefined` leaves it.
   *
   * @param cause what led to it, for the device's journal; left out for what a session notes, such as a time.
   * @throws AppError `session.unknown_device` when there is none, and what the store throws.
   */
  async update(
    id: string,
    change: (device: DeviceRecord) => Partial<DeviceRecord> | undefined,
    now: number,
    cause?: Cause,
  ): Promise<DeviceRecord> {
    return transact(this.#store, () => {
      const device = this.#require(id);
      const patch = change(device);
      if (!patch) return { changes: [], result: device };
      const next = { ...device, ...patch, id: device.id, version: device.version + 1, updatedAt: now };
      return { changes: [this.#table.put(next, cause)], result: next };
    });
  }

  /** Adds something that an operator should look at; the latest 20 are kept. */
  async alert(id: string, alert: DeviceAlert): Promise<void> {
    await this.update(id, (device) => ({ alerts: [...device.alerts, alert].slice(-maxAlerts) }), alert.at);
  }

  /**
   * The device behind a verified connection, or the reason why it may not speak. Called for every call and stream.
   *
   * @throws AppError `session.unknown_device`, `session.revoked`, `session.unknown_certificate`.
   */
  authenticate(deviceId: string, fingerprint: string): DeviceRecord {
    const device = this.#require(deviceId);
    if (device.state !== 'trusted') {
      throw sessionError('revoked', `Device ${deviceId} is ${device.state}`, {
        hint: 'It stays out until an operator of the daemon lifts this.',
      });
    }
    if (!device.certificates.some((certificate) => certificate.fingerprint === fingerprint)) {
      throw sessionError(
        'unknown_certificate',
        'The daemon did not issue this certificate, or has replaced it',
        {
          hint: 'Pair the machine again: the operator runs `palyra pair`.',
        },
      );
    }
    return device;
  }

  #require(id: string): DeviceRecord {
    const device = this.#table.get(id);
    if (device) return device;
    throw sessionError('unknown_device', `No device ${id} is enrolled here`, {
      hint: 'Pair the machine first: the operator runs `palyra pair`.',
    });
  }
}

/** Whether an error is the daemon's final word on a device rather than a passing fault. */
export function isRefusal(error: AppError): boolean {
  return error.code.startsWith('session.') && !error.retryable;
}
