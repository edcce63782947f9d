import { inputBytes } from './draft.js';
import { EndPace, longestRetryMs } from './pace.js';
import type { DispatchRecord } from './record.js';

/** What of one device has not ended. */
interface DeviceQueue {
  /** Each with the bytes of its input, oldest first. */
  readonly inputs: Map<string, number>;
  bytes: number;
  readonly pace: EndPace;
}

/** Who wants to know of each change. */
export interface LiveWatcher {
  changed(record: DispatchRecord): void;
  /** Its end is on disk, or it was never accepted. */
  ended(record: DispatchRecord): void;
}

const newQueue = (): DeviceQueue => ({ inputs: new Map(), bytes: 0, pace: new EndPace() });

/**
 * The dispatches that have not ended, by id and by device in the order of their creation. It answers what a session and
 * the queue bounds ask without a look at the store, so their cost does not depend on history.
 */
export class LiveDispatches {
  readonly #records = new Map<string, DispatchRecord>();
  readonly #ofDevice = new Map<string, DeviceQueue>();
  #watcher: LiveWatcher | undefined;

  /** There is one watcher. */
  watch(watcher: LiveWatcher): void {
    this.#watcher = watcher;
  }

  all(): IterableIterator<DispatchRecord> {
    return this.#records.values();
  }

  get(id: string): DispatchRecord | undefined {
    return this.#records.get(id);
  }

  /** Adds a dispatch or replaces its record. */
  set(record: DispatchRecord): void {
    if (!this.#records.has(record.id)) {
      const queue = this.#ofDevice.get(record.deviceId) ?? newQueue();
      const bytes = inputBytes(record.input);
      queue.inputs.set(record.id, bytes);
      queue.bytes += bytes;
      this.#ofDevice.set(record.deviceId, queue);
    }
    this.#records.set(record.id, record);
    this.#watcher?.changed(record);
  }

  delete(record: DispatchRecord): void {
    this.#records.delete(record.id);
    this.#watcher?.ended(record);
    const queue = this.#ofDevice.get(record.deviceId);
    if (queue === undefined) return;
    queue.bytes -= queue.inputs.get(record.id) ?? 0;
    queue.inputs.delete(record.id);
    if (queue.inputs.size === 0) this.#ofDevice.delete(record.deviceId);
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
    return [...(this.#ofDevice.get(deviceId)?.inputs.keys() ?? [])];
  }

  countOf(deviceId: string): number {
    return this.#ofDevice.get(deviceId)?.inputs.size ?? 0;
  }

  /** The bytes of the inputs of a device's dispatches. */
  bytesOf(deviceId: string): number {
    return this.#ofDevice.get(deviceId)?.bytes ?? 0;
  }

  get size(): number {
    return this.#records.size;
  }
}
