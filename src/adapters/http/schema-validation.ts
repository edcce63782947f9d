import { Ajv2020, type ErrorObject, type Options } from 'ajv/dist/2020.js';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import type { AppError } from '../../kernel/errors.js';
import { fieldErrors } from '../../plugins/field-errors.js';
import { httpError } from './http-errors.js';

const settings: Options = {
  strict: true,
  allErrors: true,
  verbose: true,
  removeAdditional: false,
  useDefaults: false,
  coerceTypes: false,
};

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
export function validatorCompiler(): FastifySchemaCompiler<TSchema> {
  const exact = new Ajv2020(settings);
  const converting = new Ajv2020({ ...settings, coerceTypes: 'array' });
  return ({ schema, httpPart }) => {
    const validate = (httpPart === 'querystring' ? converting : exact).compile(schema);
    return (value: unknown) => {
      if (validate(value)) return { value };
      return { error: invalidRequest(httpPart ?? 'body', validate.errors ?? []) };
    };
  };
}

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
