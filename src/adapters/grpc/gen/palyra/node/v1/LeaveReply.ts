// Original file: proto/palyra/node/v1/node.proto


export interface LeaveReply {
}

export interface LeaveReply__Output {
}
