import fastJson from 'fast-json-stringify';
import type { FastifySerializerCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { onFirstUse } from './on-first-use.js';

const serialiserOf = onFirstUse((schema) => fastJson(schema));

/** Compiles the schemas of answers for Fastify: what a schema does not name is left out of the answer. */
export const serialiserCompiler: FastifySerializerCompiler<TSchema> =
  ({ schema }) =>
  (data) =>
    serialiserOf(schema)(data);
