import type { FieldError } from '../kernel/errors.js';
import { compileSchema } from './compile-schema.js';
import type { JsonSchema } from './descriptor.js';
import { schemaDigest } from './digest.js';
import { fieldErrors } from './field-errors.js';

/** A compiled schema. */
export interface Validator {
  /** Digest of the schema, lowercase hex. */
  readonly digest: string;
  /** What is wrong with a value; an empty list (always the same one) when nothing is. Never throws. */
  check(value: unknown): readonly FieldError[];
}

const none: readonly FieldError[] = Object.freeze([]);
const tooDeep: readonly FieldError[] = Object.freeze([
  { field: '', message: 'is nested too deeply to be checked' },
]);

const incomparable: readonly FieldError[] = Object.freeze([
  {
    field: '',
    message: "has a key ('valueOf' or 'toString') with which it can't be compared with another value",
  },
]);

interface Entry {
  readonly validator: Validator;
  holders: number;
}

/**
 * Compiled validators by the digest of their schema: equal schemas are compiled once, and freed when their last holder
 * lets go.
 *
 * @example
 * const cache = new ValidatorCache();
 * const url = cache.acquire({ type: 'object', required: ['url'], properties: { url: { type: 'string' } } });
 * url.check({}); // [{ field: '/url', message: 'is required' }]
 * cache.release(url);
 */
export class ValidatorCache {
  readonly #entries = new Map<string, Entry>();

  /** How many schemas are compiled now. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The validator of a schema. Call {@link release} once for each acquire.
   *
   * @throws AppError as `compileSchema` does
   */
  acquire(schema: JsonSchema): Validator {
    const digest = schemaDigest(schema);
    const known = this.#entries.get(digest);
    if (known !== undefined) {
      known.holders++;
      return known.validator;
    }
    const validator = newValidator(digest, schema);
    this.#entries.set(digest, { validator, holders: 1 });
    return validator;
  }

  /** Lets go of a validator. */
  release(validator: Validator): void {
    const entry = this.#entries.get(validator.digest);
    if (entry !== undefined && --entry.holders === 0) this.#entries.delete(validator.digest);
  }
}

function newValidator(digest: string, schema: JsonSchema): Validator {
  const validate = compileSchema(schema);
  return {
    digest,
    check(value) {
      try {
        if (validate(value)) return none;
      } catch (thrown) {
        // A schema that refers to itself follows the value down.
        if (thrown instanceof RangeError) return tooDeep;
        // Ajv compares objects (const, enum, uniqueItems) by calling these two, whatever they are.
        if (thrown instanceof TypeError) return incomparable;
        throw thrown;
      }
      const found = fieldErrors(validate.errors ?? []);
      // Ajv keeps the last errors, and with them the value, on the function.
      validate.errors = null;
      return found;
    },
  };
}
