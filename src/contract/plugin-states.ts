/** How a plugin stands on the daemon. */
export const pluginStates = ['loaded', 'disabled', 'quarantined', 'not_installed'] as const;
export type PluginState = (typeof pluginStates)[number];
