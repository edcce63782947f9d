// Original file: proto/palyra/node/v1/enrollment.proto

import type { ProtocolVersion as _palyra_node_v1_ProtocolVersion, ProtocolVersion__Output as _palyra_node_v1_ProtocolVersion__Output } from '../../../palyra/node/v1/ProtocolVersion.js';
import type { HostFacts as _palyra_node_v1_HostFacts, HostFacts__Output as _palyra_node_v1_HostFacts__Output } from '../../../palyra/node/v1/HostFacts.js';
import type { JoinMethod as _palyra_node_v1_JoinMethod, JoinMethod__Output as _palyra_node_v1_JoinMethod__Output } from '../../../palyra/node/v1/JoinMethod.js';
import type { PinMethod as _palyra_node_v1_PinMethod, PinMethod__Output as _palyra_node_v1_PinMethod__Output } from '../../../palyra/node/v1/PinMethod.js';

export interface BeginRequest {
  'protocol'?: (_palyra_node_v1_ProtocolVersion | null);
  'identityKey'?: (Buffer | Uint8Array | string);
  'nonce'?: (Buffer | Uint8Array | string);
  'csrDigest'?: (Buffer | Uint8Array | string);
  'surfaceDigest'?: (Buffer | Uint8Array | string);
  'facts'?: (_palyra_node_v1_HostFacts | null);
  'caSha256'?: (Buffer | Uint8Array | string);
  'join'?: (_palyra_node_v1_JoinMethod | null);
  'pin'?: (_palyra_node_v1_PinMethod | null);
  'method'?: "join"|"pin";
}

export interface BeginRequest__Output {
  'protocol': (_palyra_node_v1_ProtocolVersion__Output | null);
  'identityKey': (Buffer);
  'nonce': (Buffer);
  'csrDigest': (Buffer);
  'surfaceDigest': (Buffer);
  'facts': (_palyra_node_v1_HostFacts__Output | null);
  'caSha256': (Buffer);
  'join'?: (_palyra_node_v1_JoinMethod__Output | null);
  'pin'?: (_palyra_node_v1_PinMethod__Output | null);
  'method'?: "join"|"pin";
}
