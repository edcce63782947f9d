import type { AuthorityControl } from './authority/view.js';
import type { InventoryControl } from './device/inventory-view.js';
import type { DeviceControl } from './device/view.js';
import type { DispatchControl, DispatchFeedControl } from './dispatch/view.js';
import type { ExplainControl } from './explanation-view.js';
import type { FanoutControl } from './fanout/view.js';
import type { CodeControl, PairingControl } from './pairing/view.js';
import type { PluginControl } from './plugin-control.js';
import type { PruneControl } from './pruning/view.js';
import type { SurfaceControl } from './surface/view.js';

/**
 * What the control plane asks of the daemon: the one set of operations behind the HTTP API, and through it behind the
 * CLI and the console. Each takes the verified caller; the rules live in the actors behind it.
 */
export interface Control {
  readonly plugins: PluginControl;
  readonly codes: CodeControl;
  readonly authority: AuthorityControl;
  readonly pairings: PairingControl;
  readonly inventory: InventoryControl;
  readonly devices: DeviceControl;
  readonly surfaces: SurfaceControl;
  readonly dispatches: DispatchControl;
  readonly feeds: DispatchFeedControl;
  readonly pruning: PruneControl;
  readonly fanouts: FanoutControl;
  readonly explanations: ExplainControl;
}
