import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Capability, Descriptor, JsonSchema } from './descriptor.js';
import { checkJsonLimits } from './json-limits.js';
import type { Manifest } from './manifest-schema.js';
import { pluginError } from './plugin-errors.js';
import { schemaLimits } from './schema-limits.js';

/**
 * Lowercase hex SHA-256 of the RFC 8785 canonical form, so that the order of keys and the white space don't count.
 *
 * @throws AppError `plugin.schema_invalid` for what is not JSON
 */
export function jsonDigest(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw pluginError('schema_invalid', 'Only JSON has a digest');
  return createHash('sha256').update(text).digest('hex');
}

/** What one capability of a manifest promises, with everything of its plugin that bears on trust. */
export function descriptorOf(manifest: Manifest, capability: Capability): Descriptor {
  return {
    ...capability,
    plugin: manifest.name,
    publisher: manifest.publisher,
    isolation: manifest.isolation,
    permissions: manifest.permissions,
  };
}

/**
 * The identity of a descriptor: what an operator approves and a dispatch names. Lowercase hex.
 *
 * @example descriptorDigest(descriptorOf(manifest, capability)) // '5d41402a…'
 */
export function descriptorDigest(descriptor: Descriptor): string {
  return jsonDigest(descriptor);
}

/**
 * The identity of a schema. Lowercase hex.
 *
 * @throws AppError `plugin.too_deep`, `plugin.too_many_values`, `plugin.forbidden_key`: it is looked at before it is walked
 */
export function schemaDigest(schema: JsonSchema): string {
  checkJsonLimits(schema, schemaLimits);
  return jsonDigest(schema);
}

/** The identity of a set of descriptors, in whichever order and however often they are named. Lowercase hex. */
export function surfaceDigest(digests: Iterable<string>): string {
  return jsonDigest([...new Set(digests)].sort());
}
