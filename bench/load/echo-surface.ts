import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { PluginAnnouncement } from '../../src/actors/link/frames.js';
import { bundledPlugins } from '../../src/plugins/bundled.js';
import { descriptorDigest, descriptorOf } from '../../src/plugins/digest.js';
import { discoverPlugins } from '../../src/plugins/discovery.js';

/** What a node host with the bundled `echo` plugin alone announces. */
export async function echoSurface(): Promise<readonly PluginAnnouncement[]> {
  const { plugins } = await discoverPlugins([bundledPlugins()]);
  const echo = plugins.find(({ manifest }) => manifest.name === 'echo');
  if (!echo) throw new Error('The bundled plugin echo is missing');
  const { manifest, entry } = echo;
  const buildDigest = createHash('sha256')
    .update(await readFile(entry))
    .digest('hex');
  const descriptors = manifest.capabilities.map((capability) => {
    const descriptor = descriptorOf(manifest, capability);
    return {
      digest: descriptorDigest(descriptor),
      capability: descriptor.name,
      descriptor: Buffer.from(JSON.stringify(descriptor)),
    };
  });
  return [{ name: manifest.name, version: manifest.version, buildDigest, descriptors }];
}
