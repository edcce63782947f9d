// Original file: proto/palyra/node/v1/enrollment.proto


export interface ProveReply {
  'pairingId'?: (string);
  'wordsTranscript'?: (Buffer | Uint8Array | string);
  'pinConfirmation'?: (Buffer | Uint8Array | string);
}

export interface ProveReply__Output {
  'pairingId': (string);
  'wordsTranscript': (Buffer);
  'pinConfirmation': (Buffer);
}
