// Original file: proto/palyra/node/v1/enrollment.proto


export interface ConfirmReply {
}

export interface ConfirmReply__Output {
}
