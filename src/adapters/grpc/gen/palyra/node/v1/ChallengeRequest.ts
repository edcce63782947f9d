// Original file: proto/palyra/node/v1/enrollment.proto


export interface ChallengeRequest {
}

export interface ChallengeRequest__Output {
}
