// Original file: proto/palyra/node/v1/common.proto


export interface ChallengeReply {
  'nonce'?: (Buffer | Uint8Array | string);
}

export interface ChallengeReply__Output {
  'nonce': (Buffer);
}
