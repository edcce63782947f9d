// Original file: proto/palyra/node/v1/node.proto


// Original file: proto/palyra/node/v1/node.proto

export const _palyra_node_v1_InFlight_Phase = {
  PHASE_UNSPECIFIED: 'PHASE_UNSPECIFIED',
  RECEIVED: 'RECEIVED',
  STARTED: 'STARTED',
  FINISHED: 'FINISHED',
  INTERRUPTED: 'INTERRUPTED',
  CANCELLED: 'CANCELLED',
} as const;

export type _palyra_node_v1_InFlight_Phase =
  | 'PHASE_UNSPECIFIED'
  | 0
  | 'RECEIVED'
  | 1
  | 'STARTED'
  | 2
  | 'FINISHED'
  | 3
  | 'INTERRUPTED'
  | 4
  | 'CANCELLED'
  | 5

export type _palyra_node_v1_InFlight_Phase__Output = typeof _palyra_node_v1_InFlight_Phase[keyof typeof _palyra_node_v1_InFlight_Phase]

export interface InFlight {
  'dispatchId'?: (string);
  'phase'?: (_palyra_node_v1_InFlight_Phase);
}

export interface InFlight__Output {
  'dispatchId': (string);
  'phase': (_palyra_node_v1_InFlight_Phase__Output);
}
