// Original file: proto/palyra/node/v1/enrollment.proto

import type { PluginAnnouncement as _palyra_node_v1_PluginAnnouncement, PluginAnnouncement__Output as _palyra_node_v1_PluginAnnouncement__Output } from '../../../palyra/node/v1/PluginAnnouncement.js';

export interface AwaitDecisionRequest {
  'pairingId'?: (string);
  'nonce'?: (Buffer | Uint8Array | string);
  'identitySignature'?: (Buffer | Uint8Array | string);
  'plugins'?: (_palyra_node_v1_PluginAnnouncement)[];
  'proposedName'?: (string);
}

export interface AwaitDecisionRequest__Output {
  'pairingId': (string);
  'nonce': (Buffer);
  'identitySignature': (Buffer);
  'plugins': (_palyra_node_v1_PluginAnnouncement__Output)[];
  'proposedName': (string);
}
