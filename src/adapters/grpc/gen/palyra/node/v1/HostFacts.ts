// Original file: proto/palyra/node/v1/common.proto


export interface HostFacts {
  'hostname'?: (string);
  'platform'?: (string);
  'arch'?: (string);
  'osRelease'?: (string);
  'nodeVersion'?: (string);
  'palyraVersion'?: (string);
}

export interface HostFacts__Output {
  'hostname': (string);
  'platform': (string);
  'arch': (string);
  'osRelease': (string);
  'nodeVersion': (string);
  'palyraVersion': (string);
}
