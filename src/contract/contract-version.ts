import type { ContractDescriptor } from './contract-descriptor.js';

/** The contract that this package serves and speaks. */
export const contract: ContractDescriptor = {
  name: 'palyra.control',
  major: 1,
  minor: 0,
  features: [
    'pairing.join',
    'dispatch.key_if_needed',
    'dispatch.wait',
    'dispatch.dry_run',
    'device.lifecycle',
    'device.clones',
    'surfaces',
  ],
};
