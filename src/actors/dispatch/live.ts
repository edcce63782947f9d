import type { DispatchRecord } from './record.js';

/**
 * The dispatches that have not ended, by id and by device in the order of their creation. It answers what a session and
 * the queue bounds ask without a look at the store, so their cost does not depend on history.
 */
export class LiveDispatches {
  readonly #records = new Map<string, DispatchRecord>();
  readonly #ofDevice = new Map<string, Set<string>>();

  all(): IterableIterator<DispatchRecord> {
    return this.#records.values();
  }

  get(id: string): DispatchRecord | undefined {
    return this.#records.get(id);
  }

  /** Adds a dispatch or replaces its record. */
  set(record: DispatchRecord): void {
    if (!this.#records.has(record.id)) {
      const ids = this.#ofDevice.get(record.deviceId);
      if (ids) ids.add(record.id);
      else this.#ofDevice.set(record.deviceId, new Set([record.id]));
    }
    this.#records.set(record.id, record);
  }

  delete(record: DispatchRecord): void {
    this.#records.delete(record.id);
    const ids = this.#ofDevice.get(record.deviceId);
    ids?.delete(record.id);
    if (ids?.size === 0) this.#ofDevice.delete(record.deviceId);
  }

  /** The ids of a device's dispatches, oldest first. */
  idsOf(deviceId: string): readonly string[] {
    return [...(this.#ofDevice.get(deviceId) ?? [])];
  }

  countOf(deviceId: string): number {
    return this.#ofDevice.get(deviceId)?.size ?? 0;
  }

  get size(): number {
    return this.#records.size;
  }
}
