// Original file: proto/palyra/node/v1/common.proto


export interface PluginStanding {
  'isolation'?: (string);
  'enforced'?: (string)[];
  'disabled'?: (string);
}

export interface PluginStanding__Output {
  'isolation': (string);
  'enforced': (string)[];
  'disabled': (string);
}
