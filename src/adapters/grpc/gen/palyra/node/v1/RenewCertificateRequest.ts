// Original file: proto/palyra/node/v1/node.proto


export interface RenewCertificateRequest {
  'deviceId'?: (string);
  'csr'?: (Buffer | Uint8Array | string);
  'identitySignature'?: (Buffer | Uint8Array | string);
  'nonce'?: (Buffer | Uint8Array | string);
}

export interface RenewCertificateRequest__Output {
  'deviceId': (string);
  'csr': (Buffer);
  'identitySignature': (Buffer);
  'nonce': (Buffer);
}
