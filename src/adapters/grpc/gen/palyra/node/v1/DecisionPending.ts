// Original file: proto/palyra/node/v1/enrollment.proto

import type { Long } from '@grpc/proto-loader';

export interface DecisionPending {
  'expiresInMs'?: (number | string | Long);
}

export interface DecisionPending__Output {
  'expiresInMs': (number);
}
