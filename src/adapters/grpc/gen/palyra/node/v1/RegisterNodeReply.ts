// Original file: proto/palyra/node/v1/node.proto

import type { ProtocolVersion as _palyra_node_v1_ProtocolVersion, ProtocolVersion__Output as _palyra_node_v1_ProtocolVersion__Output } from '../../../palyra/node/v1/ProtocolVersion.js';
import type { SurfaceVerdict as _palyra_node_v1_SurfaceVerdict, SurfaceVerdict__Output as _palyra_node_v1_SurfaceVerdict__Output } from '../../../palyra/node/v1/SurfaceVerdict.js';
import type { PluginSettings as _palyra_node_v1_PluginSettings, PluginSettings__Output as _palyra_node_v1_PluginSettings__Output } from '../../../palyra/node/v1/PluginSettings.js';
import type { Long } from '@grpc/proto-loader';

export interface RegisterNodeReply {
  'protocol'?: (_palyra_node_v1_ProtocolVersion | null);
  'epoch'?: (number | string | Long);
  'surface'?: (_palyra_node_v1_SurfaceVerdict)[];
  'surfaceDigest'?: (string);
  'name'?: (string);
  'settings'?: (_palyra_node_v1_PluginSettings)[];
}

export interface RegisterNodeReply__Output {
  'protocol': (_palyra_node_v1_ProtocolVersion__Output | null);
  'epoch': (number);
  'surface': (_palyra_node_v1_SurfaceVerdict__Output)[];
  'surfaceDigest': (string);
  'name': (string);
  'settings': (_palyra_node_v1_PluginSettings__Output)[];
}
