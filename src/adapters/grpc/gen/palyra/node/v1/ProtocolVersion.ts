// Original file: proto/palyra/node/v1/common.proto


export interface ProtocolVersion {
  'major'?: (number);
  'minor'?: (number);
  'features'?: (string)[];
}

export interface ProtocolVersion__Output {
  'major': (number);
  'minor': (number);
  'features': (string)[];
}
