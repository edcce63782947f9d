// Original file: proto/palyra/node/v1/enrollment.proto


export interface PinMethod {
  'slot'?: (string);
  'share'?: (Buffer | Uint8Array | string);
}

export interface PinMethod__Output {
  'slot': (string);
  'share': (Buffer);
}
