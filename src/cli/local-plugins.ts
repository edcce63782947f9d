import type { Plugin } from '../contract/plugin.js';

/**
 * How the plugins of this machine stand, by its folders and its `palyra-node.yaml`. Nothing is loaded: what only shows when its code
 * is run is told by `palyra node run`.
 *
 * @throws AppError `config.*`
 */
export async function localPlugins(
  config: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<readonly Plugin[]> {
  const { readNodeConfig } = await import('../node/node-config.js');
  const { mayRun } = await import('../node/plugin-rules.js');
  const { discoverPlugins } = await import('../plugins/discovery.js');
  const { pluginStatuses } = await import('../plugins/plugin-status.js');
  const source = readNodeConfig(config, env);
  const discovery = await discoverPlugins(source.roots, { platform: process.platform });
  const complaints = source.check?.(discovery.plugins) ?? [];
  const plugins = await pluginStatuses(discovery, {
    named: source.rules.enabled ?? [],
    isEnabled: (plugin) => mayRun(source.rules, plugin),
    faultOf: (plugin) => {
      const found = complaints.find((one) => one.plugin === plugin);
      if (found === undefined) return undefined;
      const { file, pointer, message, hint } = found;
      return { file, fault: { code: 'plugin.config_invalid', pointer, message, hint } };
    },
  });
  return plugins.map((plugin) => ({ ...plugin, capabilities: [...plugin.capabilities] }));
}
