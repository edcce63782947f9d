import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../kernel/clock.js';
import { AppError } from '../../kernel/errors.js';
import type { Store } from '../../kernel/store.js';
import type { Catalog } from '../../plugins/catalog.js';
import type { Descriptor } from '../../plugins/descriptor.js';
import { descriptorDigest } from '../../plugins/digest.js';
import type { DescriptorReviewer } from '../../plugins/review/reviewer.js';
import type { EffectiveSurface } from '../link/frames.js';
import { type Change, RecordTable, transact } from '../records.js';
import type { Grants } from '../surface/grants.js';
import { type Pin, type SurfaceState, surfaceStateOf } from '../surface/state.js';
import { digestOfSurface } from './announcement.js';
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

export interface CompiledSurfaceOptions {
  readonly store: Store;
  readonly catalog: Catalog;
  /** What the operator says of plugins. */
  readonly policy: PluginPolicy;
  readonly reviewer: DescriptorReviewer;
  /** What an approval holds for. */
  readonly pin: Pin;
  /** What is approved by label. */
  readonly grants: Grants;
  readonly clock: Pick<Clock, 'now'>;
}

/** What the operator says of plugins, by their names. */
export interface PluginPolicy {
  /** Those that nodes may run. */
  readonly enabled: ReadonlySet<string>;
  /** What is set for them. */
  readonly settings: ReadonlyMap<string, object>;
}

/** Descriptors that are about to be approved: compiled, not yet written. */
export interface PreparedDescriptors {
  changes(): readonly Change[];
  /** Keeps them in the catalog; call it when the changes are committed. */
  adopt(): void;
  /** Lets go of those that were not adopted. */
  release(): void;
}

/**
 * What may be called on which node: offered by the node, enabled by the operator and approved for that node, all three
 * (spec section 6). Nothing that a node says widens it.
 */
export class CompiledSurface {
  readonly #options: CompiledSurfaceOptions;
  readonly #table = new RecordTable<DescriptorRecord>('descriptor');
  #trials = 0;
  #policy: PluginPolicy;

  private constructor(options: CompiledSurfaceOptions) {
    this.#options = options;
    this.#policy = options.policy;
  }

  /** Takes another policy: it counts for everything that is created from now on. What is under way goes on. */
  configure(policy: PluginPolicy): void {
    this.#policy = policy;
  }

  /** Reads the descriptors that were approved earlier and puts them in the catalog beside the daemon's own. */
  static async open(options: CompiledSurfaceOptions): Promise<CompiledSurface> {
    const surface = new CompiledSurface(options);
    await surface.#table.load(options.store);
    for (const record of surface.#table.values()) options.catalog.add(record.descriptor, owner);
    return surface;
  }

  /**
   * Compiles descriptors that an operator approves: each on trial in a worker first, since a schema that a stranger wrote may take
   * as long as it likes, and then here, one in a turn of the loop. They are kept, also those of the daemon's own folders: after an
   * upgrade of those, nodes still offer what was approved.
   *
   * @throws AppError of the plugin layer when one breaks the caps, does not compile or takes too long.
   */
  async prepare(descriptors: readonly Descriptor[]): Promise<PreparedDescriptors> {
    const { catalog, clock } = this.#options;
    const trial = `trial/${this.#trials++}`;
    const approved = descriptors.map((descriptor) => ({ descriptor, id: descriptorDigest(descriptor) }));
    const release = (): void => {
      for (const { id } of approved) catalog.remove(id, trial);
    };
    try {
      for (const { descriptor, id } of approved) await this.#try(descriptor, id, trial);
    } catch (thrown) {
      release();
      throw thrown;
    }
    return {
      release,
      changes: () => {
        const now = clock.now();
        return approved
          .filter(({ id }) => this.#table.get(id) === undefined)
          .map(({ id, descriptor }) =>
            this.#table.put({ id, state: 'approved', createdAt: now, updatedAt: now, descriptor }),
          );
      },
      adopt: () => {
        for (const { descriptor } of approved) catalog.add(descriptor, owner);
      },
    };
  }

  async #try(descriptor: Descriptor, id: string, trial: string): Promise<void> {
    const { catalog, reviewer } = this.#options;
    if (catalog.get(id) === undefined) {
      const { refusal } = await reviewer.review({ after: descriptor });
      if (refusal) throw AppError.fromEnvelope(refusal);
      await setImmediate();
    }
    catalog.add(descriptor, trial);
  }

  /** Writes what was prepared, and keeps it in the catalog. That alone lets nobody call it. */
  async keep(prepared: PreparedDescriptors): Promise<void> {
    await transact(this.#options.store, () => ({ changes: prepared.changes(), result: undefined }));
    prepared.adopt();
  }

  /** A descriptor that was approved for some device. */
  descriptor(digest: string): Descriptor | undefined {
    return this.#table.get(digest)?.descriptor;
  }

  isEnabled(plugin: string): boolean {
    return this.#policy.enabled.has(plugin);
  }

  /** What is approved by label. */
  get grants(): Grants {
    return this.#options.grants;
  }

  /** Where the operators' decisions about an offered capability stand. */
  state(device: DeviceRecord, capability: OfferedCapability): SurfaceState {
    return surfaceStateOf(device, capability, this.#options.pin, this.#options.grants);
  }

  /** Whether one capability of a device may be called, or what is missing. */
  status(device: DeviceRecord, capability: OfferedCapability): 'available' | 'not_enabled' | 'not_approved' {
    if (!this.isEnabled(capability.plugin)) return 'not_enabled';
    return this.state(device, capability) === 'approved' ? 'available' : 'not_approved';
  }

  /**
   * What a node is told of what it offers. Settings go to who runs the plugin on an operator's word: claiming to have it is not
   * enough.
   */
  effective(device: DeviceRecord, offers: readonly OfferedCapability[] = device.offered): EffectiveSurface {
    const accepted = offers.filter((offered) => this.status(device, offered) === 'available');
    const surface = offers.map((offered) => {
      const status = this.status(device, offered);
      const { digest, capability } = offered;
      return { digest, capability, status: status === 'available' ? ('accepted' as const) : status };
    });
    const settings = [...new Set(accepted.map(({ plugin }) => plugin))].flatMap((plugin) => {
      const given = this.#policy.settings.get(plugin);
      return given === undefined ? [] : [{ plugin, settings: Buffer.from(JSON.stringify(given)) }];
    });
    return { surface, surfaceDigest: digestOfSurface(accepted), settings };
  }

  /** The device's capability of that name as it offers it now, if it does. */
  offered(device: DeviceRecord, capability: string): OfferedCapability | undefined {
    return device.offered.find((offered) => offered.capability === capability);
  }
}
