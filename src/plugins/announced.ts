import type { Descriptor } from './descriptor.js';
import { compileShape, documentLimits, parseJson, shapeError } from './document.js';
import { fieldErrors } from './field-errors.js';
import { checkJsonLimits } from './json-limits.js';
import { checkMediation, checkTimeout } from './manifest-capabilities.js';
import { descriptorSchema } from './manifest-schema.js';

let shape: ReturnType<typeof compileShape> | undefined;

/**
 * Reads a descriptor that a node announced, from its JSON text. Its shape is checked and its size capped; its schemas
 * stay inert: they are compiled when an operator has approved them and the catalog takes them. The caller bounds the text.
 *
 * @throws AppError `plugin.manifest_not_json`, `plugin.manifest_invalid`, `plugin.forbidden_key`, `plugin.too_deep`,
 *   `plugin.too_many_values`, `plugin.number_too_large`, `duration.invalid`; the field is the JSON pointer in the
 *   descriptor
 * @example parseDescriptor(JSON.stringify(descriptor)).name // 'echo'
 */
export function parseDescriptor(text: string): Descriptor {
  const document = parseJson(text);
  checkJsonLimits(document, documentLimits);
  shape ??= compileShape(descriptorSchema);
  if (!shape(document)) {
    throw shapeError(fieldErrors(shape.errors ?? []), 'Run the same version of the runtime on both sides');
  }
  const descriptor = document as Descriptor;
  checkTimeout(descriptor.timeout, '/timeout');
  checkMediation(descriptor, '/mediation');
  return descriptor;
}
