// Original file: proto/palyra/node/v1/enrollment.proto

import type { ProtocolVersion as _palyra_node_v1_ProtocolVersion, ProtocolVersion__Output as _palyra_node_v1_ProtocolVersion__Output } from '../../../palyra/node/v1/ProtocolVersion.js';
import type { HostFacts as _palyra_node_v1_HostFacts, HostFacts__Output as _palyra_node_v1_HostFacts__Output } from '../../../palyra/node/v1/HostFacts.js';

export interface ReturnRequest {
  'protocol'?: (_palyra_node_v1_ProtocolVersion | null);
  'deviceId'?: (string);
  'csr'?: (Buffer | Uint8Array | string);
  'certificate'?: (Buffer | Uint8Array | string);
  'facts'?: (_palyra_node_v1_HostFacts | null);
  'nonce'?: (Buffer | Uint8Array | string);
  'identitySignature'?: (Buffer | Uint8Array | string);
}

export interface ReturnRequest__Output {
  'protocol': (_palyra_node_v1_ProtocolVersion__Output | null);
  'deviceId': (string);
  'csr': (Buffer);
  'certificate': (Buffer);
  'facts': (_palyra_node_v1_HostFacts__Output | null);
  'nonce': (Buffer);
  'identitySignature': (Buffer);
}
