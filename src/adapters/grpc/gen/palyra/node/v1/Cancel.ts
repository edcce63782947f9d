// Original file: proto/palyra/node/v1/node.proto


export interface Cancel {
  'dispatchId'?: (string);
  'reason'?: (string);
}

export interface Cancel__Output {
  'dispatchId': (string);
  'reason': (string);
}
