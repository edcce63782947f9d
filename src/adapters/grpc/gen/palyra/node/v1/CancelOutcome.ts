// Original file: proto/palyra/node/v1/node.proto


// Original file: proto/palyra/node/v1/node.proto

export const _palyra_node_v1_CancelOutcome_Outcome = {
  OUTCOME_UNSPECIFIED: 'OUTCOME_UNSPECIFIED',
  NOT_KNOWN: 'NOT_KNOWN',
  STOPPING: 'STOPPING',
  ALREADY_FINISHED: 'ALREADY_FINISHED',
} as const;

export type _palyra_node_v1_CancelOutcome_Outcome =
  | 'OUTCOME_UNSPECIFIED'
  | 0
  | 'NOT_KNOWN'
  | 1
  | 'STOPPING'
  | 2
  | 'ALREADY_FINISHED'
  | 3

export type _palyra_node_v1_CancelOutcome_Outcome__Output = typeof _palyra_node_v1_CancelOutcome_Outcome[keyof typeof _palyra_node_v1_CancelOutcome_Outcome]

export interface CancelOutcome {
  'dispatchId'?: (string);
  'outcome'?: (_palyra_node_v1_CancelOutcome_Outcome);
}

export interface CancelOutcome__Output {
  'dispatchId': (string);
  'outcome': (_palyra_node_v1_CancelOutcome_Outcome__Output);
}
