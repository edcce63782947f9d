// Original file: proto/palyra/node/v1/enrollment.proto


export interface DecisionExpired {
}

export interface DecisionExpired__Output {
}
