// Original file: proto/palyra/node/v1/enrollment.proto


export interface PinReply {
  'share'?: (Buffer | Uint8Array | string);
}

export interface PinReply__Output {
  'share': (Buffer);
}
