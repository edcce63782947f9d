import { EndPace, longestRetryMs } from './pace.js';
import type { DispatchRecord } from './record.js';

/** What of one device has not ended. */
interface DeviceQueue {
  readonly ids: Set<string>;
  readonly pace: EndPace;
}

/**
 * The dispatches that have not ended, by id and by device in the order of their creation. It answers what a session and
 * the queue bounds ask without a look at the store, so their cost does not depend on history.
 */
export class LiveDispatches {
  readonly #records = new Map<string, DispatchRecord>();
  readonly #ofDevice = new Map<string, DeviceQueue>();

  all(): IterableIterator<DispatchRecord> {
    return this.#records.values();
  }

  get(id: string): DispatchRecord | undefined {
    return this.#records.get(id);
  }

  /** Adds a dispatch or replaces its record. */
  set(record: DispatchRecord): void {
    if (!this.#records.has(record.id)) {
      const queue = this.#ofDevice.get(record.deviceId) ?? { ids: new Set(), pace: new EndPace() };
      queue.ids.add(record.id);
      this.#ofDevice.set(record.deviceId, queue);
    }
    this.#records.set(record.id, record);
  }

  delete(record: DispatchRecord): void {
    this.#records.delete(record.id);
    const ids = this.#ofDevice.get(record.deviceId)?.ids;
    ids?.delete(record.id);
    if (ids?.size === 0) this.#ofDevice.delete(record.deviceId);
  }

  /** It has ended: what is kept of it goes, and how fast its node ends work is noted. @param now monotonic milliseconds */
  ended(record: DispatchRecord, now: number): void {
    this.#ofDevice.get(record.deviceId)?.pace.ended(now);
    this.delete(record);
  }

  /**
   * When there may be room again in the queue of a device, milliseconds from now.
   *
   * @param isPresent whether it is connected
   * @param now monotonic milliseconds
   */
  roomIn(deviceId: string, isPresent: boolean, now: number): number {
    return isPresent ? (this.#ofDevice.get(deviceId)?.pace.nextIn(now) ?? 0) : longestRetryMs;
  }

  /** The ids of a device's dispatches, oldest first. */
  idsOf(deviceId: string): readonly string[] {
    return [...(this.#ofDevice.get(deviceId)?.ids ?? [])];
  }

  countOf(deviceId: string): number {
    return this.#ofDevice.get(deviceId)?.ids.size ?? 0;
  }

  get size(): number {
    return this.#records.size;
  }
}
