// Original file: proto/palyra/node/v1/enrollment.proto


export interface JoinMethod {
  'codeId'?: (string);
}

export interface JoinMethod__Output {
  'codeId': (string);
}
