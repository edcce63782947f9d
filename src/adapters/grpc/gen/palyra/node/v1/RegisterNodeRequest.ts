// Original file: proto/palyra/node/v1/node.proto

import type { ProtocolVersion as _palyra_node_v1_ProtocolVersion, ProtocolVersion__Output as _palyra_node_v1_ProtocolVersion__Output } from '../../../palyra/node/v1/ProtocolVersion.js';
import type { HostFacts as _palyra_node_v1_HostFacts, HostFacts__Output as _palyra_node_v1_HostFacts__Output } from '../../../palyra/node/v1/HostFacts.js';
import type { PluginAnnouncement as _palyra_node_v1_PluginAnnouncement, PluginAnnouncement__Output as _palyra_node_v1_PluginAnnouncement__Output } from '../../../palyra/node/v1/PluginAnnouncement.js';
import type { Long } from '@grpc/proto-loader';

export interface RegisterNodeRequest {
  'protocol'?: (_palyra_node_v1_ProtocolVersion | null);
  'deviceId'?: (string);
  'facts'?: (_palyra_node_v1_HostFacts | null);
  'plugins'?: (_palyra_node_v1_PluginAnnouncement)[];
  'clockMs'?: (number | string | Long);
}

export interface RegisterNodeRequest__Output {
  'protocol': (_palyra_node_v1_ProtocolVersion__Output | null);
  'deviceId': (string);
  'facts': (_palyra_node_v1_HostFacts__Output | null);
  'plugins': (_palyra_node_v1_PluginAnnouncement__Output)[];
  'clockMs': (number);
}
