import { AppError, type FieldError } from '../kernel/errors.js';
import { checkJsonLimits } from './json-limits.js';
import type { Manifest } from './manifest-schema.js';
import type { ValidatorCache } from './validators.js';

/** Caps on what an operator sets for one plugin. */
const settingsLimits = { depth: 16, values: 10_000 } as const;

/** The settings of a plugin that declares none. */
const noSettings = { type: 'object', additionalProperties: false } as const;

/**
 * What a plugin's own schema finds wrong with settings; the fields are JSON pointers in them. Nothing is the same as `{}`.
 *
 * @example settingsErrors(manifest, { sites: 7 }, validators) // [{ field: '/sites', message: 'must be an array' }]
 */
export function settingsErrors(
  manifest: Pick<Manifest, 'config'>,
  settings: unknown,
  validators: ValidatorCache,
): readonly FieldError[] {
  try {
    checkJsonLimits(settings ?? {}, settingsLimits);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.fields) return thrown.fields;
    throw thrown;
  }
  const validator = validators.acquire(manifest.config ?? noSettings);
  try {
    return validator.check(settings ?? {});
  } finally {
    validators.release(validator);
  }
}
