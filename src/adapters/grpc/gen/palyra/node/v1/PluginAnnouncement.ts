// Original file: proto/palyra/node/v1/common.proto

import type { DescriptorAnnouncement as _palyra_node_v1_DescriptorAnnouncement, DescriptorAnnouncement__Output as _palyra_node_v1_DescriptorAnnouncement__Output } from '../../../palyra/node/v1/DescriptorAnnouncement.js';
import type { PluginStanding as _palyra_node_v1_PluginStanding, PluginStanding__Output as _palyra_node_v1_PluginStanding__Output } from '../../../palyra/node/v1/PluginStanding.js';

export interface PluginAnnouncement {
  'name'?: (string);
  'version'?: (string);
  'buildDigest'?: (string);
  'descriptors'?: (_palyra_node_v1_DescriptorAnnouncement)[];
  'standing'?: (_palyra_node_v1_PluginStanding | null);
}

export interface PluginAnnouncement__Output {
  'name': (string);
  'version': (string);
  'buildDigest': (string);
  'descriptors': (_palyra_node_v1_DescriptorAnnouncement__Output)[];
  'standing': (_palyra_node_v1_PluginStanding__Output | null);
}
