// Original file: proto/palyra/node/v1/enrollment.proto


export interface DecisionApproved {
  'certificate'?: (string);
  'caCertificates'?: (string)[];
  'nodeAddresses'?: (string)[];
  'enrollmentAddresses'?: (string)[];
  'name'?: (string);
}

export interface DecisionApproved__Output {
  'certificate': (string);
  'caCertificates': (string)[];
  'nodeAddresses': (string)[];
  'enrollmentAddresses': (string)[];
  'name': (string);
}
