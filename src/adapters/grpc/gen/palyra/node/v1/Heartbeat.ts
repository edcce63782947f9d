// Original file: proto/palyra/node/v1/node.proto


export interface Heartbeat {
  'inFlight'?: (number);
}

export interface Heartbeat__Output {
  'inFlight': (number);
}
