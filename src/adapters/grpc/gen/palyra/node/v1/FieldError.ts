// Original file: proto/palyra/node/v1/node.proto


export interface FieldError {
  'field'?: (string);
  'message'?: (string);
}

export interface FieldError__Output {
  'field': (string);
  'message': (string);
}
