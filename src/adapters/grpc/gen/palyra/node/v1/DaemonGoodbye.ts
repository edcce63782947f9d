// Original file: proto/palyra/node/v1/node.proto


// Original file: proto/palyra/node/v1/node.proto

export const _palyra_node_v1_DaemonGoodbye_Kind = {
  KIND_UNSPECIFIED: 'KIND_UNSPECIFIED',
  SHUTDOWN: 'SHUTDOWN',
  REPLACED: 'REPLACED',
  REVOKED: 'REVOKED',
  PROTOCOL_ERROR: 'PROTOCOL_ERROR',
  CERTIFICATE_EXPIRED: 'CERTIFICATE_EXPIRED',
  RECONNECT: 'RECONNECT',
} as const;

export type _palyra_node_v1_DaemonGoodbye_Kind =
  | 'KIND_UNSPECIFIED'
  | 0
  | 'SHUTDOWN'
  | 1
  | 'REPLACED'
  | 2
  | 'REVOKED'
  | 3
  | 'PROTOCOL_ERROR'
  | 4
  | 'CERTIFICATE_EXPIRED'
  | 5
  | 'RECONNECT'
  | 6

export type _palyra_node_v1_DaemonGoodbye_Kind__Output = typeof _palyra_node_v1_DaemonGoodbye_Kind[keyof typeof _palyra_node_v1_DaemonGoodbye_Kind]

export interface DaemonGoodbye {
  'reason'?: (string);
  'kind'?: (_palyra_node_v1_DaemonGoodbye_Kind);
}

export interface DaemonGoodbye__Output {
  'reason': (string);
  'kind': (_palyra_node_v1_DaemonGoodbye_Kind__Output);
}
