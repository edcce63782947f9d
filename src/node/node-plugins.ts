import { sendToUplink } from '../actors/addresses.js';
import type { PluginAnnouncement } from '../actors/link/frames.js';
import type { Clock } from '../kernel/clock.js';
import type { Directory } from '../kernel/directory.js';
import { discoverPlugins, type LoadedManifest } from '../plugins/discovery.js';
import { PluginHost } from '../plugins/plugin-host.js';
import type { ProcessPlugin } from '../plugins/plugin-loader.js';
import type { Runner } from '../plugins/runner.js';
import type { HostServices } from '../plugins/sdk/handler.js';
import type { Reporter } from './reporter.js';

export interface NodePluginsOptions {
  /** Folders in which plugins are looked for. Code of the first may run inside this process. */
  readonly pluginRoots: readonly string[];
  readonly services: HostServices;
  readonly processes: { runner(plugin: ProcessPlugin): Runner };
  /** Settings by plugin name. */
  readonly config?: ReadonlyMap<string, unknown>;
  /** Default: the machine's. */
  readonly clock?: Clock;
  readonly directory: Directory;
  readonly report: Reporter;
}

/** The plugins of a node, and what it says to the daemon of them. They may be replaced while the node runs. */
export class NodePlugins {
  readonly host: PluginHost;
  readonly #directory: Directory;
  #revision = 0;

  private constructor(host: PluginHost, directory: Directory) {
    this.host = host;
    this.#directory = directory;
  }

  static async load(options: NodePluginsOptions): Promise<NodePlugins> {
    const { pluginRoots, services, processes, config, clock, directory, report } = options;
    const discovery = await discoverPlugins(pluginRoots, { platform: process.platform });
    // Inline code is for plugins that the operator trusts: those that come with this package.
    const [bundled] = pluginRoots;
    const host = await PluginHost.load({
      plugins: discovery.plugins,
      services,
      trusted: (plugin) => plugin.root === bundled,
      processRunner: (plugin) => processes.runner(plugin),
      ...(config === undefined ? {} : { config }),
      ...(clock === undefined ? {} : { clock }),
    });
    report({
      event: 'plugins',
      capabilities: host.descriptors().map(({ descriptor }) => descriptor.name),
      quarantined: [...discovery.quarantined, ...host.quarantined].map(({ plugin, file, message, hint }) => ({
        plugin,
        file,
        message,
        ...(hint === undefined ? {} : { hint }),
      })),
    });
    return new NodePlugins(host, directory);
  }

  /** Numbers what is announced: it changes with it. */
  get revision(): number {
    return this.#revision;
  }

  /** What the node says that it offers, one entry a plugin. */
  announced(): readonly PluginAnnouncement[] {
    const byPlugin = new Map<string, PluginAnnouncement>();
    for (const { digest, descriptor, version, build, standing } of this.host.descriptors()) {
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

  /**
   * Takes up a plugin, or another build of one that runs, and tells the daemon; see {@link PluginHost.replace}. The line to
   * the daemon stays up. What the new build offers more than was approved waits for an operator.
   *
   * @throws AppError when it can't be loaded: nothing has changed then
   */
  async replace(plugin: LoadedManifest, config?: unknown): Promise<{ readonly drained: Promise<void> }> {
    const replaced = await this.host.replace(plugin, config);
    this.announce();
    return replaced;
  }

  /** Takes a plugin away and tells the daemon. Resolves when its runs have ended. */
  async remove(name: string): Promise<void> {
    const removed = this.host.remove(name);
    this.announce();
    await removed;
  }

  /** Tells the daemon what has changed of how the plugins stand. */
  announce(): void {
    this.#revision++;
    sendToUplink(this.#directory, { type: 'offer.changed' });
  }
}
