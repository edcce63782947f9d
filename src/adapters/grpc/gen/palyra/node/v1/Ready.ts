// Original file: proto/palyra/node/v1/node.proto


export interface Ready {
}

export interface Ready__Output {
}
