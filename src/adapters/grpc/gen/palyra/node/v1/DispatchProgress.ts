// Original file: proto/palyra/node/v1/node.proto


export interface DispatchProgress {
  'dispatchId'?: (string);
  'sequence'?: (number);
  'value'?: (Buffer | Uint8Array | string);
}

export interface DispatchProgress__Output {
  'dispatchId': (string);
  'sequence': (number);
  'value': (Buffer);
}
