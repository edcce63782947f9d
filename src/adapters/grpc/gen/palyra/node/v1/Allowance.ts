// Original file: proto/palyra/node/v1/node.proto

import type { Long } from '@grpc/proto-loader';

// Original file: proto/palyra/node/v1/node.proto

export const _palyra_node_v1_Allowance_By = {
  BY_UNSPECIFIED: 'BY_UNSPECIFIED',
  PERSON: 'PERSON',
  REMEMBERED: 'REMEMBERED',
} as const;

export type _palyra_node_v1_Allowance_By =
  | 'BY_UNSPECIFIED'
  | 0
  | 'PERSON'
  | 1
  | 'REMEMBERED'
  | 2

export type _palyra_node_v1_Allowance_By__Output = typeof _palyra_node_v1_Allowance_By[keyof typeof _palyra_node_v1_Allowance_By]

export interface Allowance {
  'by'?: (_palyra_node_v1_Allowance_By);
  'untilMs'?: (number | string | Long);
}

export interface Allowance__Output {
  'by': (_palyra_node_v1_Allowance_By__Output);
  'untilMs': (number);
}
