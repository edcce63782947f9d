// Original file: proto/palyra/node/v1/node.proto

import type { SurfaceVerdict as _palyra_node_v1_SurfaceVerdict, SurfaceVerdict__Output as _palyra_node_v1_SurfaceVerdict__Output } from '../../../palyra/node/v1/SurfaceVerdict.js';
import type { PluginSettings as _palyra_node_v1_PluginSettings, PluginSettings__Output as _palyra_node_v1_PluginSettings__Output } from '../../../palyra/node/v1/PluginSettings.js';

export interface Surface {
  'surface'?: (_palyra_node_v1_SurfaceVerdict)[];
  'surfaceDigest'?: (string);
  'settings'?: (_palyra_node_v1_PluginSettings)[];
}

export interface Surface__Output {
  'surface': (_palyra_node_v1_SurfaceVerdict__Output)[];
  'surfaceDigest': (string);
  'settings': (_palyra_node_v1_PluginSettings__Output)[];
}
