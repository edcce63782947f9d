import type { Clock } from '../../kernel/clock.js';
import type { Store } from '../../kernel/store.js';
import { parseDescriptor } from '../../plugins/announced.js';
import type { Descriptor } from '../../plugins/descriptor.js';
import type { Devices } from '../device/devices.js';
import type { RequestedCapability } from '../pairing/record.js';
import { RecordTable, transact } from '../records.js';

/** A descriptor that a node offers and nobody has approved, as text. Kind `offer`; its id is the digest. */
interface OfferRecord {
  readonly id: string;
  readonly version: number;
  readonly state: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly text: string;
}

/** How much of what is not approved is kept: bytes of one device, and of all together, each descriptor counted once. */
export const offerLimits = { deviceBytes: 1_048_576, bytes: 67_108_864, count: 4_096 } as const;

export interface OffersOptions {
  readonly store: Store;
  readonly devices: Pick<Devices, 'all'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly limits?: { readonly [Limit in keyof typeof offerLimits]: number };
}

/**
 * Descriptors that nodes offer and that are not approved, until that changes or no node offers them any more. They are inert: text
 * that is parsed when somebody looks at it. Nodes that offer the same share one. What is beyond the limits is not kept, and can't be
 * approved then; the node is not disturbed.
 */
export class Offers {
  readonly #options: OffersOptions;
  readonly #table = new RecordTable<OfferRecord>('offer');
  /** Who offers what is kept. */
  readonly #holders = new Map<string, Set<string>>();
  #bytes = 0;
  /** Writes are made one after the other, so that each sees what the one before has kept. */
  #writes: Promise<unknown> = Promise.resolve();

  private constructor(options: OffersOptions) {
    this.#options = options;
  }

  /** Reads what was kept, and lets go of what no device offers. */
  static async open(options: OffersOptions): Promise<Offers> {
    const offers = new Offers(options);
    await offers.#table.load(options.store);
    for (const device of options.devices.all()) {
      for (const { digest } of device.offered) if (offers.has(digest)) offers.#hold(digest, device.id);
    }
    for (const { text } of offers.#table.values()) offers.#bytes += Buffer.byteLength(text);
    await offers.#write(() => []);
    return offers;
  }

  has(digest: string): boolean {
    return this.#table.get(digest) !== undefined;
  }

  /** The descriptor with that digest, if it is kept. */
  get(digest: string): Descriptor | undefined {
    const record = this.#table.get(digest);
    return record && parseDescriptor(record.text);
  }

  /**
   * Takes what one device offers and nobody approved in place of what it offered before.
   *
   * @returns the capabilities that could not be kept.
   */
  replace(deviceId: string, offered: readonly RequestedCapability[]): Promise<readonly string[]> {
    const left: string[] = [];
    const written = this.#writes.then(() =>
      this.#write(() => {
        for (const holders of this.#holders.values()) holders.delete(deviceId);
        return this.#fitting(deviceId, offered, left);
      }),
    );
    this.#writes = written.catch(() => undefined);
    return written.then(() => left);
  }

  #fitting(
    deviceId: string,
    offered: readonly RequestedCapability[],
    left: string[],
  ): readonly OfferRecord[] {
    const { limits = offerLimits, clock } = this.#options;
    const now = clock.now();
    const added: OfferRecord[] = [];
    let own = 0;
    for (const { digest, descriptor, capability } of offered) {
      const text = this.#table.get(digest)?.text ?? JSON.stringify(descriptor);
      const bytes = Buffer.byteLength(text);
      const isNew = !this.has(digest);
      const isOver = isNew && (this.#bytes + bytes > limits.bytes || this.#holders.size >= limits.count);
      if (isOver || own + bytes > limits.deviceBytes) {
        left.push(capability);
        continue;
      }
      own += bytes;
      this.#hold(digest, deviceId);
      if (!isNew) continue;
      this.#bytes += bytes;
      added.push({ id: digest, version: 1, state: 'offered', createdAt: now, updatedAt: now, text });
    }
    return added;
  }

  /** Writes what is added, and deletes what nobody offers any more. */
  async #write(add: () => readonly OfferRecord[]): Promise<void> {
    const added = add();
    const gone = [...this.#table.values()].filter(({ id }) => (this.#holders.get(id)?.size ?? 0) === 0);
    for (const { id, text } of gone) {
      this.#bytes -= Buffer.byteLength(text);
      this.#holders.delete(id);
    }
    await transact(
      this.#options.store,
      () => ({
        changes: [
          ...added.map((record) => this.#table.put(record)),
          ...gone.flatMap(({ id }) => this.#table.remove(id)),
        ],
        result: undefined,
      }),
      'wal',
    );
  }

  #hold(digest: string, deviceId: string): void {
    const holders = this.#holders.get(digest);
    if (holders) holders.add(deviceId);
    else this.#holders.set(digest, new Set([deviceId]));
  }
}
