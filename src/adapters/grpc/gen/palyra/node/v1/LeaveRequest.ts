// Original file: proto/palyra/node/v1/node.proto


export interface LeaveRequest {
  'deviceId'?: (string);
  'reason'?: (string);
}

export interface LeaveRequest__Output {
  'deviceId': (string);
  'reason': (string);
}
