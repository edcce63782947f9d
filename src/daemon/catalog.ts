import type { KernelLog } from '../kernel/log.js';
import { bundledPlugins } from '../plugins/bundled.js';
import { Catalog } from '../plugins/catalog.js';
import { descriptorOf } from '../plugins/digest.js';
import { discoverPlugins } from '../plugins/discovery.js';
import { ValidatorCache } from '../plugins/validators.js';

/** The descriptors of the daemon's own plugin folders. It reads their manifests and never runs their code. */
export async function loadCatalog(paths: readonly string[], log: KernelLog): Promise<Catalog> {
  const catalog = new Catalog(new ValidatorCache());
  const { plugins, quarantined } = await discoverPlugins([bundledPlugins(), ...paths]);
  for (const { manifest } of plugins) {
    for (const capability of manifest.capabilities) catalog.add(descriptorOf(manifest, capability), 'folder');
  }
  for (const { plugin, file, pointer, message, hint } of quarantined) {
    log.warn({ plugin, file, pointer, hint }, `Plugin quarantined: ${message}`);
  }
  return catalog;
}
