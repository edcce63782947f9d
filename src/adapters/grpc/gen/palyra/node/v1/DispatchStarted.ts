// Original file: proto/palyra/node/v1/node.proto


export interface DispatchStarted {
  'dispatchId'?: (string);
}

export interface DispatchStarted__Output {
  'dispatchId': (string);
}
