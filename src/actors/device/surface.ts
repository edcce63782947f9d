import type { Store } from '../../kernel/store.js';
import type { Catalog } from '../../plugins/catalog.js';
import type { Descriptor } from '../../plugins/descriptor.js';
import { descriptorDigest } from '../../plugins/digest.js';
import type { CapabilityStatus } from '../control.js';
import { type Change, RecordTable } from '../records.js';
import type { DeviceRecord, OfferedCapability } from './record.js';

/** A descriptor that an operator approved, kept so that the daemon can route by it after a restart. Kind `descriptor`. */
interface DescriptorRecord {
  readonly id: string;
  readonly version: number;
  readonly state: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly descriptor: Descriptor;
}

/** Under this name the catalog holds what was approved, whoever offers it. */
const owner = 'approved';

/** Descriptors that are about to be approved: checked and compiled, not yet written. */
export interface PreparedDescriptors {
  changes(): readonly Change[];
  adopt(): void;
}

/**
 * What may be called on which node: offered by the node, enabled by the operator and approved for that node, all three
 * (spec section 6). Nothing that a node says widens it.
 */
export class CompiledSurface {
  readonly #catalog: Catalog;
  readonly #enabled: ReadonlySet<string>;
  readonly #table = new RecordTable<DescriptorRecord>('descriptor');
  readonly #now: () => number;

  private constructor(catalog: Catalog, enabled: ReadonlySet<string>, now: () => number) {
    this.#catalog = catalog;
    this.#enabled = enabled;
    this.#now = now;
  }

  /** Reads the descriptors that were approved earlier and puts them in the catalog beside the daemon's own. */
  static async open(
    store: Store,
    catalog: Catalog,
    enabled: ReadonlySet<string>,
    now: () => number,
  ): Promise<CompiledSurface> {
    const surface = new CompiledSurface(catalog, enabled, now);
    await surface.#table.load(store);
    for (const record of surface.#table.values()) catalog.add(record.descriptor, owner);
    return surface;
  }

  /**
   * Compiles descriptors that an operator approves with a pairing. They are kept, also those of the daemon's own folders:
   * after an upgrade of those, nodes still offer what was approved.
   *
   * @throws AppError of the plugin layer when one breaks the caps or does not compile.
   */
  prepare(descriptors: readonly Descriptor[]): PreparedDescriptors {
    const approved = descriptors.map((descriptor) => ({ descriptor, id: descriptorDigest(descriptor) }));
    for (const { descriptor, id } of approved) {
      this.#catalog.add(descriptor, 'trial');
      this.#catalog.remove(id, 'trial');
    }
    const now = this.#now();
    return {
      changes: () =>
        approved
          .filter(({ id }) => this.#table.get(id) === undefined)
          .map(({ id, descriptor }) =>
            this.#table.put({ id, state: 'approved', createdAt: now, updatedAt: now, descriptor }),
          ),
      adopt: () => {
        for (const { descriptor } of approved) this.#catalog.add(descriptor, owner);
      },
    };
  }

  /** Whether one capability of a device may be called, or what is missing. */
  status(device: DeviceRecord, capability: OfferedCapability): CapabilityStatus {
    if (!this.#enabled.has(capability.plugin)) return 'not_enabled';
    if (!device.approvals.some((approval) => approval.digest === capability.digest)) return 'not_approved';
    return 'available';
  }

  /** The device's capability of that name as it offers it now, if it does. */
  offered(device: DeviceRecord, capability: string): OfferedCapability | undefined {
    return device.offered.find((offered) => offered.capability === capability);
  }
}
