// Original file: proto/palyra/node/v1/node.proto

import type { DispatchError as _palyra_node_v1_DispatchError, DispatchError__Output as _palyra_node_v1_DispatchError__Output } from '../../../palyra/node/v1/DispatchError.js';
import type { Allowance as _palyra_node_v1_Allowance, Allowance__Output as _palyra_node_v1_Allowance__Output } from '../../../palyra/node/v1/Allowance.js';
import type { Long } from '@grpc/proto-loader';

// Original file: proto/palyra/node/v1/node.proto

export const _palyra_node_v1_DispatchResult_Outcome = {
  OUTCOME_UNSPECIFIED: 'OUTCOME_UNSPECIFIED',
  SUCCEEDED: 'SUCCEEDED',
  FAILED: 'FAILED',
  REJECTED: 'REJECTED',
  TIMED_OUT: 'TIMED_OUT',
  CANCELLED: 'CANCELLED',
  UNKNOWN: 'UNKNOWN',
} as const;

export type _palyra_node_v1_DispatchResult_Outcome =
  | 'OUTCOME_UNSPECIFIED'
  | 0
  | 'SUCCEEDED'
  | 1
  | 'FAILED'
  | 2
  | 'REJECTED'
  | 3
  | 'TIMED_OUT'
  | 4
  | 'CANCELLED'
  | 5
  | 'UNKNOWN'
  | 6

export type _palyra_node_v1_DispatchResult_Outcome__Output = typeof _palyra_node_v1_DispatchResult_Outcome[keyof typeof _palyra_node_v1_DispatchResult_Outcome]

export interface DispatchResult {
  'dispatchId'?: (string);
  'outcome'?: (_palyra_node_v1_DispatchResult_Outcome);
  'reason'?: (string);
  'output'?: (Buffer | Uint8Array | string);
  'error'?: (_palyra_node_v1_DispatchError | null);
  'durationUs'?: (number | string | Long);
  'started'?: (boolean);
  'allowed'?: (_palyra_node_v1_Allowance | null);
}

export interface DispatchResult__Output {
  'dispatchId': (string);
  'outcome': (_palyra_node_v1_DispatchResult_Outcome__Output);
  'reason': (string);
  'output': (Buffer);
  'error': (_palyra_node_v1_DispatchError__Output | null);
  'durationUs': (number);
  'started': (boolean);
  'allowed': (_palyra_node_v1_Allowance__Output | null);
}
