// Original file: proto/palyra/node/v1/common.proto


export interface DescriptorAnnouncement {
  'digest'?: (string);
  'capability'?: (string);
  'descriptor'?: (Buffer | Uint8Array | string);
}

export interface DescriptorAnnouncement__Output {
  'digest': (string);
  'capability': (string);
  'descriptor': (Buffer);
}
