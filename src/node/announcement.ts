import type { PluginAnnouncement } from '../actors/link/frames.js';
import type { PluginHost } from '../plugins/plugin-host.js';

/** What a node says that it offers, one entry a plugin. */
export function announcementOf(
  offered: ReturnType<PluginHost['descriptors']>,
): readonly PluginAnnouncement[] {
  const byPlugin = new Map<string, PluginAnnouncement>();
  for (const { digest, descriptor, version, build, standing } of offered) {
    const announced = {
      digest,
      capability: descriptor.name,
      descriptor: Buffer.from(JSON.stringify(descriptor)),
    };
    const known = byPlugin.get(descriptor.plugin);
    byPlugin.set(descriptor.plugin, {
      name: descriptor.plugin,
      version,
      buildDigest: build,
      standing,
      descriptors: [...(known?.descriptors ?? []), announced],
    });
  }
  return [...byPlugin.values()];
}
