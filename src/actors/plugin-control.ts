import type { VerifiedCaller } from '../kernel/authority.js';
import type { PluginStatus } from '../plugins/plugin-status.js';

/** How plugins stand on the daemon. */
export type PluginView = PluginStatus;

/** What came of reading configuration and folders again. */
export interface PluginReload {
  readonly plugins: readonly PluginView[];
  /** Options that have changed and count only after a restart, as JSON pointers in the configuration. */
  readonly restartNeeded: readonly string[];
}

export interface PluginControl {
  list(caller: VerifiedCaller): Promise<readonly PluginView[]>;
  /** All that go by a name: one that is loaded, and those that were left out because of it. @throws AppError `plugins.not_found`. */
  get(caller: VerifiedCaller, plugin: string): Promise<readonly PluginView[]>;
  /**
   * Reads configuration and folders again and takes over what they say of plugins, for everything that is created from now on.
   *
   * @throws AppError `plugins.forbidden`, `config.invalid`, `config.unreadable`; everything stays as it was then
   */
  reload(caller: VerifiedCaller): Promise<PluginReload>;
}
