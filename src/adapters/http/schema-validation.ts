import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import type { AppError } from '../../kernel/errors.js';
import { fieldErrors } from '../../plugins/field-errors.js';
import { httpError } from './http-errors.js';
import { onFirstUse } from './on-first-use.js';

const settings: Options = {
  strict: true,
  allErrors: true,
  verbose: true,
  removeAdditional: false,
  useDefaults: false,
  coerceTypes: false,
};

const exact = validators(settings);
const converting = validators({ ...settings, coerceTypes: 'array' });

function validators(options: Options): (schema: TSchema) => ValidateFunction {
  const ajv = new Ajv2020(options);
  return onFirstUse((schema) => ajv.compile(schema));
}

/** What a request consists of, and how a person calls its parts. */
const parts = new Map([
  ['body', { prefix: '', name: 'body' }],
  ['querystring', { prefix: 'query', name: 'query' }],
  ['params', { prefix: 'path', name: 'path' }],
  ['headers', { prefix: 'headers', name: 'headers' }],
]);

/**
 * Compiles the schemas of requests for Fastify. Bodies are taken as they are. In queries, where everything is text,
 * numbers and single values of a list are converted.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validatorOf = httpPart === 'querystring' ? converting : exact;
  return (value: unknown) => {
    const validate = validatorOf(schema);
    if (validate(value)) return { value };
    return { error: invalidRequest(httpPart ?? 'body', validate.errors ?? []) };
  };
};

/** All that is wrong with one part of a request, each with its place and, for a misspelt name, the nearest valid one. */
function invalidRequest(httpPart: string, errors: readonly ErrorObject[]): AppError {
  const part = parts.get(httpPart) ?? { prefix: httpPart, name: httpPart };
  const fields = fieldErrors(errors).map(({ field, message }) => ({
    field: `${part.prefix}${field}`,
    message,
  }));
  const first = fields[0];
  const where = first === undefined || first.field === '' ? `The ${part.name}` : first.field;
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : '';
  return httpError('invalid_request', `${where} ${first?.message ?? 'is not valid'}${more}`, {
    fields,
    hint: `Correct the ${part.name} of the request as \`fields\` says.`,
  });
}
