// Original file: proto/palyra/node/v1/node.proto


export interface RenewOrder {
  'reason'?: (string);
}

export interface RenewOrder__Output {
  'reason': (string);
}
