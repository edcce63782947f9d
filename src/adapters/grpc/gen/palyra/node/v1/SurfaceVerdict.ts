// Original file: proto/palyra/node/v1/node.proto


// Original file: proto/palyra/node/v1/node.proto

export const _palyra_node_v1_SurfaceVerdict_Status = {
  STATUS_UNSPECIFIED: 'STATUS_UNSPECIFIED',
  ACCEPTED: 'ACCEPTED',
  NOT_ENABLED: 'NOT_ENABLED',
  NOT_APPROVED: 'NOT_APPROVED',
} as const;

export type _palyra_node_v1_SurfaceVerdict_Status =
  | 'STATUS_UNSPECIFIED'
  | 0
  | 'ACCEPTED'
  | 1
  | 'NOT_ENABLED'
  | 2
  | 'NOT_APPROVED'
  | 3

export type _palyra_node_v1_SurfaceVerdict_Status__Output = typeof _palyra_node_v1_SurfaceVerdict_Status[keyof typeof _palyra_node_v1_SurfaceVerdict_Status]

export interface SurfaceVerdict {
  'digest'?: (string);
  'capability'?: (string);
  'status'?: (_palyra_node_v1_SurfaceVerdict_Status);
}

export interface SurfaceVerdict__Output {
  'digest': (string);
  'capability': (string);
  'status': (_palyra_node_v1_SurfaceVerdict_Status__Output);
}
