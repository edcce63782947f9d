import type { ContractDescriptor } from './contract-descriptor.js';

/**
 * The contract that this package serves and speaks. Its minor version grows with what a release adds to the one before, and no
 * release has been made; what a client may want to find before it uses it has its name in `features`.
 */
export const contract: ContractDescriptor = {
  name: 'palyra.control',
  major: 1,
  minor: 0,
  features: [
    'pairing.join',
    'pairing.pin',
    'dispatch.key_if_needed',
    'dispatch.wait',
    'dispatch.dry_run',
    'dispatch.find',
    'dispatch.follow',
    'dispatch.retry',
    'dispatch.prune',
    'fanouts',
    'device.lifecycle',
    'device.clones',
    'device.labels',
    'surfaces',
    'surfaces.grants',
    'plugins',
    'authority',
    'explanations',
  ],
};
