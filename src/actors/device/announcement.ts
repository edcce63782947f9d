import { AppError, type FieldError } from '../../kernel/errors.js';
import { parseDescriptor } from '../../plugins/announced.js';
import type { Descriptor } from '../../plugins/descriptor.js';
import { descriptorDigest, surfaceDigest } from '../../plugins/digest.js';
import { sessionError } from '../errors.js';
import type { PluginAnnouncement } from '../link/frames.js';
import type { RequestedCapability } from '../pairing/record.js';

const maxCapabilities = 256;
const maxDescriptorBytes = 64 * 1024;

function invalid(message: string, fields: readonly FieldError[], cause?: unknown): AppError {
  return sessionError('invalid_announcement', message, {
    fields,
    hint: 'Check the plugins of the node with `palyra node run`: it prints what it loads.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * Reads what a node says that it offers. The descriptors stay data: nothing is compiled, and nothing here grants a right.
 *
 * @throws AppError `session.invalid_announcement` naming the plugin and descriptor: too many or too large, not a
 *   descriptor, a digest that is not the descriptor's, a capability named twice.
 */
export function readAnnouncement(plugins: readonly PluginAnnouncement[]): readonly RequestedCapability[] {
  const requested = new Map<string, RequestedCapability>();
  for (const [p, plugin] of plugins.entries()) {
    for (const [d, announced] of plugin.descriptors.entries()) {
      const field = `plugins/${p}/descriptors/${d}`;
      if (requested.size >= maxCapabilities) {
        throw invalid(`A node may offer at most ${maxCapabilities} capabilities`, [
          { field, message: 'is one too many' },
        ]);
      }
      if (announced.descriptor.length > maxDescriptorBytes) {
        throw invalid(`A descriptor may have at most ${maxDescriptorBytes} bytes`, [
          { field, message: `has ${announced.descriptor.length} bytes` },
        ]);
      }
      const descriptor = readDescriptor(announced.descriptor, field);
      const digest = descriptorDigest(descriptor);
      if (digest !== announced.digest) {
        throw invalid('A descriptor does not have the digest that came with it', [
          { field, message: 'wrong digest' },
        ]);
      }
      if (descriptor.name !== announced.capability || descriptor.plugin !== plugin.name) {
        throw invalid('A descriptor names another capability or plugin than its announcement', [
          { field, message: `is ${descriptor.plugin}/${descriptor.name}` },
        ]);
      }
      if (requested.has(descriptor.name)) {
        throw invalid(`Capability ${descriptor.name} is offered twice`, [
          { field, message: 'is offered twice' },
        ]);
      }
      requested.set(descriptor.name, {
        digest,
        capability: descriptor.name,
        plugin: plugin.name,
        pluginVersion: plugin.version,
        buildDigest: plugin.buildDigest,
        ...(plugin.standing === undefined ? {} : { standing: plugin.standing }),
        descriptor,
      });
    }
  }
  return [...requested.values()];
}

function readDescriptor(bytes: Uint8Array, field: string): Descriptor {
  try {
    return parseDescriptor(Buffer.from(bytes).toString('utf8'));
  } catch (thrown) {
    const reason = thrown instanceof AppError ? thrown.message : 'is not JSON';
    const within = thrown instanceof AppError ? (thrown.fields ?? []) : [];
    throw invalid('An announced descriptor is not one', [{ field, message: reason }, ...within], thrown);
  }
}

/** What identifies a set of capabilities, whatever their order. */
export function digestOfSurface(capabilities: readonly { readonly digest: string }[]): string {
  return surfaceDigest(capabilities.map((capability) => capability.digest));
}
