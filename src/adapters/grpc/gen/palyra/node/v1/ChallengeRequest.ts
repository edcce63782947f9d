// Original file: proto/palyra/node/v1/common.proto


export interface ChallengeRequest {
}

export interface ChallengeRequest__Output {
}
