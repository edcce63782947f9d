// Original file: proto/palyra/node/v1/node.proto


export interface DispatchMediation {
  'dispatchId'?: (string);
  'waiting'?: (boolean);
}

export interface DispatchMediation__Output {
  'dispatchId': (string);
  'waiting': (boolean);
}
