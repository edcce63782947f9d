import type { DeviceAuthority } from '../actors/authority/device-authority.js';
import { Devices } from '../actors/device/devices.js';
import type { RevocationLog } from '../actors/device/revocations.js';
import { CompiledSurface, type PluginPolicy } from '../actors/device/surface.js';
import { PairingCodes } from '../actors/pairing/codes.js';
import { Pairings } from '../actors/pairing/pairings.js';
import { Grants } from '../actors/surface/grants.js';
import { Offers } from '../actors/surface/offers.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Store } from '../kernel/store.js';
import type { Catalog } from '../plugins/catalog.js';
import type { DescriptorReviewer } from '../plugins/review/reviewer.js';
import type { DaemonConfig } from './config/daemon-config.js';
import { pairingLifetime } from './container.js';

export interface RecordParts {
  readonly kernel: Kernel;
  readonly store: Store;
  readonly revocations: RevocationLog;
  readonly config: DaemonConfig;
  readonly authorities: DeviceAuthority;
  readonly catalog: Catalog;
  readonly reviewer: DescriptorReviewer;
  readonly policy: PluginPolicy;
}

/** Reads what is kept in memory and written through. */
export async function openRecords(parts: RecordParts) {
  const { kernel, store, revocations, config, authorities: authority, catalog, reviewer, policy } = parts;
  const { clock, log } = kernel;
  const grants = await Grants.open(store, clock);
  const surface = await CompiledSurface.open({
    grants,
    store,
    catalog,
    policy,
    reviewer,
    clock,
    pin: config.plugins.pin,
  });
  const devices = await Devices.open({ store, revocations, clock, log });
  const offers = await Offers.open({ store, devices, clock });
  const codes = await PairingCodes.open({ ...kernel, store });
  const lifetime = pairingLifetime(config);
  const pairings = await Pairings.open({ ...kernel, store, devices, codes, surface, authority, lifetime });
  return { surface, offers, devices, codes, pairings };
}
