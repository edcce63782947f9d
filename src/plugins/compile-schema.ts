import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { type AppError, toAppError } from '../kernel/errors.js';
import { fieldErrors } from './field-errors.js';
import { linearRegExp } from './linear-pattern.js';
import { problemError } from './plugin-errors.js';
import { capSchema, guardSchema } from './schema-guard.js';

/** Judges schemas against the meta-schema of 2020-12 and keeps nothing of them. Made when first needed: it takes 35 ms. */
let metaSchema: ValidateFunction | undefined;

function schemaIsValid(schema: unknown): ValidateFunction | undefined {
  metaSchema ??= new Ajv2020({ verbose: true }).getSchema('https://json-schema.org/draft/2020-12/schema');
  return metaSchema?.(schema) === false ? metaSchema : undefined;
}

export interface CompileOptions {
  /** Whether one check reports all that is wrong, or stops at the first. Only for values of a bounded size. */
  readonly allErrors?: boolean;
}

/**
 * Compiles a JSON Schema that a stranger wrote, within the caps of `schemaLimits`. Synchronous; about 2 ms for a
 * small schema. Each call has an Ajv of its own (0.2 ms), because one Ajv keeps each schema object, pattern and function
 * that it ever compiled: what this returns is the only reference, so dropping it frees all of it.
 *
 * @throws AppError `plugin.schema_*` with a field that is the JSON pointer in the schema
 */
export function compileSchema(document: unknown, options: CompileOptions = {}): ValidateFunction {
  const schema = capSchema(document);
  const refused = schemaIsValid(schema)?.errors;
  if (refused) {
    const [first] = fieldErrors(refused);
    const problem = `${first?.message ?? 'is wrong'} in a JSON Schema`;
    const hint = 'See JSON Schema 2020-12 for what this keyword takes';
    throw problemError('schema_invalid', { pointer: first?.field ?? '', problem, hint });
  }
  guardSchema(schema);
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allowMatchingProperties: true,
    allErrors: options.allErrors ?? false,
    verbose: true,
    meta: false,
    validateSchema: false,
    inlineRefs: false,
    logger: false,
    // Resolved by Ajv, and yet unknown to its strict mode.
    keywords: ['$anchor'],
    code: { regExp: linearRegExp },
  });
  addFormats.default(ajv, { mode: 'full', keywords: false });
  try {
    return ajv.compile(schema);
  } catch (thrown) {
    throw strictModeError(thrown);
  }
}

/** Ajv's strict mode says where in its text: `missing type "object" … at "#/properties/a" (strictTypes)`. */
function strictModeError(thrown: unknown): AppError {
  const { message } = toAppError(thrown);
  return problemError('schema_invalid', {
    pointer: /at "[^"#]*#([^"]*)"/.exec(message)?.[1] ?? '',
    problem: `is not a clear schema: ${message.replace(/^strict mode: /, '')}`,
    hint: 'Say the type beside each keyword that belongs to one type',
    cause: thrown,
  });
}
