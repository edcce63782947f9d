// Original file: proto/palyra/node/v1/enrollment.proto

import type { ProtocolVersion as _palyra_node_v1_ProtocolVersion, ProtocolVersion__Output as _palyra_node_v1_ProtocolVersion__Output } from '../../../palyra/node/v1/ProtocolVersion.js';
import type { PinReply as _palyra_node_v1_PinReply, PinReply__Output as _palyra_node_v1_PinReply__Output } from '../../../palyra/node/v1/PinReply.js';

export interface BeginReply {
  'protocol'?: (_palyra_node_v1_ProtocolVersion | null);
  'attemptId'?: (string);
  'nonce'?: (Buffer | Uint8Array | string);
  'caCertificate'?: (Buffer | Uint8Array | string);
  'pin'?: (_palyra_node_v1_PinReply | null);
  'method'?: "pin";
}

export interface BeginReply__Output {
  'protocol': (_palyra_node_v1_ProtocolVersion__Output | null);
  'attemptId': (string);
  'nonce': (Buffer);
  'caCertificate': (Buffer);
  'pin'?: (_palyra_node_v1_PinReply__Output | null);
  'method'?: "pin";
}
