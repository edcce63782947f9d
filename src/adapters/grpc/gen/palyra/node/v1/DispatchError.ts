// Original file: proto/palyra/node/v1/node.proto

import type { FieldError as _palyra_node_v1_FieldError, FieldError__Output as _palyra_node_v1_FieldError__Output } from '../../../palyra/node/v1/FieldError.js';

export interface DispatchError {
  'code'?: (string);
  'message'?: (string);
  'hint'?: (string);
  'retryable'?: (boolean);
  'fields'?: (_palyra_node_v1_FieldError)[];
}

export interface DispatchError__Output {
  'code': (string);
  'message': (string);
  'hint': (string);
  'retryable': (boolean);
  'fields': (_palyra_node_v1_FieldError__Output)[];
}
