// Original file: proto/palyra/node/v1/node.proto


export interface PluginSettings {
  'plugin'?: (string);
  'settings'?: (Buffer | Uint8Array | string);
}

export interface PluginSettings__Output {
  'plugin': (string);
  'settings': (Buffer);
}
