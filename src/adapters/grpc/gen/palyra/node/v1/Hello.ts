// Original file: proto/palyra/node/v1/node.proto

import type { InFlight as _palyra_node_v1_InFlight, InFlight__Output as _palyra_node_v1_InFlight__Output } from '../../../palyra/node/v1/InFlight.js';
import type { Long } from '@grpc/proto-loader';

export interface Hello {
  'epoch'?: (number | string | Long);
  'surfaceDigest'?: (string);
  'ticket'?: (Buffer | Uint8Array | string);
  'inFlight'?: (_palyra_node_v1_InFlight)[];
  'handedOver'?: (boolean);
  'instance'?: (Buffer | Uint8Array | string);
}

export interface Hello__Output {
  'epoch': (number);
  'surfaceDigest': (string);
  'ticket': (Buffer);
  'inFlight': (_palyra_node_v1_InFlight__Output)[];
  'handedOver': (boolean);
  'instance': (Buffer);
}
