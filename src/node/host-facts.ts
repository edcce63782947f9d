import { arch, hostname, platform, release } from 'node:os';
import type { HostFacts } from '../actors/device/record.js';
import { runtimeVersion } from '../plugins/runtime-version.js';

/** What this machine says of itself. The host name is shortened to its first label, which is what people call it. */
export function hostFacts(): HostFacts {
  return {
    hostname: hostname().split('.')[0] ?? 'node',
    platform: platform(),
    arch: arch(),
    osRelease: release(),
    nodeVersion: process.versions.node,
    palyraVersion: runtimeVersion(),
  };
}
