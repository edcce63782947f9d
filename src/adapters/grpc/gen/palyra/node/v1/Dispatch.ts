// Original file: proto/palyra/node/v1/node.proto

import type { Long } from '@grpc/proto-loader';

export interface Dispatch {
  'dispatchId'?: (string);
  'capability'?: (string);
  'descriptorDigest'?: (string);
  'input'?: (Buffer | Uint8Array | string);
  'timeoutMs'?: (number);
  'latestEndMs'?: (number | string | Long);
  'caller'?: (string);
  'mediationTimeoutMs'?: (number);
  'repeatable'?: (boolean);
}

export interface Dispatch__Output {
  'dispatchId': (string);
  'capability': (string);
  'descriptorDigest': (string);
  'input': (Buffer);
  'timeoutMs': (number);
  'latestEndMs': (number);
  'caller': (string);
  'mediationTimeoutMs': (number);
  'repeatable': (boolean);
}
