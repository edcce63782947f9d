// Original file: proto/palyra/node/v1/node.proto


export interface RenewCertificateReply {
  'certificate'?: (string);
  'caCertificates'?: (string)[];
  'nodeAddresses'?: (string)[];
  'enrollmentAddresses'?: (string)[];
}

export interface RenewCertificateReply__Output {
  'certificate': (string);
  'caCertificates': (string)[];
  'nodeAddresses': (string)[];
  'enrollmentAddresses': (string)[];
}
