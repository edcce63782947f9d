// Original file: proto/palyra/node/v1/node.proto


export interface Welcome {
  'ticket'?: (Buffer | Uint8Array | string);
  'heartbeatMs'?: (number);
  'window'?: (number);
  'settled'?: (string)[];
}

export interface Welcome__Output {
  'ticket': (Buffer);
  'heartbeatMs': (number);
  'window': (number);
  'settled': (string)[];
}
