// Original file: proto/palyra/node/v1/enrollment.proto


export interface ConfirmRequest {
  'pairingId'?: (string);
  'nonce'?: (Buffer | Uint8Array | string);
  'identitySignature'?: (Buffer | Uint8Array | string);
}

export interface ConfirmRequest__Output {
  'pairingId': (string);
  'nonce': (Buffer);
  'identitySignature': (Buffer);
}
