import type { LoadedManifest } from '../plugins/discovery.js';

/** What the owner of a machine says of plugins, by their names. It can only take away from what the daemon allows. */
export interface PluginRules {
  /** Those that may run here; undefined for all that are found. */
  readonly enabled: ReadonlySet<string> | undefined;
  /** Those that may not, whatever `enabled` says. */
  readonly disabled: ReadonlySet<string>;
  /** Those that may run inside the node host, beside the bundled ones. */
  readonly trusted: ReadonlySet<string>;
  /** Those that get a process of their own although they ask to run inside the node host. */
  readonly isolated: ReadonlySet<string>;
  /** What is set for them; each setting holds over the one of the daemon. */
  readonly settings: ReadonlyMap<string, object>;
}

/** No word on any plugin: all that are found may run. */
export const noRules: PluginRules = {
  enabled: undefined,
  disabled: new Set(),
  trusted: new Set(),
  isolated: new Set(),
  settings: new Map(),
};

/** Where plugins are looked for, and what holds for them. */
export interface PluginSource {
  /** In the order of trust. The first is that of the bundled plugins, whose code may run inside this process. */
  readonly roots: readonly string[];
  readonly rules: PluginRules;
  /** What is wrong with the settings of what was found, each with its place, by plugin. */
  check?(found: readonly LoadedManifest[]): readonly PluginComplaint[];
}

/** Why a plugin may not run although it is sound: its settings are not. */
export interface PluginComplaint {
  readonly plugin: string;
  readonly file: string;
  readonly pointer: string;
  readonly message: string;
  readonly hint: string;
}

/** Whether a plugin may run here. */
export function mayRun({ enabled, disabled }: PluginRules, plugin: string): boolean {
  return !disabled.has(plugin) && (enabled === undefined || enabled.has(plugin));
}

/** What a plugin gets: what the daemon sets, and over it what the owner of the machine sets. */
export function settingsOf(
  { settings }: PluginRules,
  given: ReadonlyMap<string, object>,
  plugin: string,
): object {
  return { ...given.get(plugin), ...settings.get(plugin) };
}
