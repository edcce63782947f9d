// Original file: proto/palyra/node/v1/enrollment.proto


export interface ProveRequest {
  'attemptId'?: (string);
  'csr'?: (Buffer | Uint8Array | string);
  'identitySignature'?: (Buffer | Uint8Array | string);
  'joinSignature'?: (Buffer | Uint8Array | string);
  'pinConfirmation'?: (Buffer | Uint8Array | string);
  'proof'?: "joinSignature"|"pinConfirmation";
}

export interface ProveRequest__Output {
  'attemptId': (string);
  'csr': (Buffer);
  'identitySignature': (Buffer);
  'joinSignature'?: (Buffer);
  'pinConfirmation'?: (Buffer);
  'proof'?: "joinSignature"|"pinConfirmation";
}
