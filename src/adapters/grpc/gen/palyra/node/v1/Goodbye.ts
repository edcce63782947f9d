// Original file: proto/palyra/node/v1/node.proto


export interface Goodbye {
  'reason'?: (string);
  'handingOver'?: (boolean);
}

export interface Goodbye__Output {
  'reason': (string);
  'handingOver': (boolean);
}
