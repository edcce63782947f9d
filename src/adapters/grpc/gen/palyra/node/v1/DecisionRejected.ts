// Original file: proto/palyra/node/v1/enrollment.proto


export interface DecisionRejected {
  'reason'?: (string);
}

export interface DecisionRejected__Output {
  'reason': (string);
}
