import { Type } from 'typebox';
import { errorCategories } from './error-codes.js';
import { closed, type Wire, words } from './primitives.js';

export const FieldErrorSchema = Type.Object(
  {
    field: Type.String({ description: 'where: a JSON pointer into the body, or the name of a parameter' }),
    message: Type.String({ description: 'what is wrong with it' }),
  },
  closed,
);

const common = {
  code: Type.String({ description: 'stable, for programs: `dispatch.unknown_node`' }),
  message: Type.String({ description: 'what failed and why, for people' }),
  category: words(errorCategories, 'the kind of failure'),
  retryable: Type.Boolean({ description: 'whether the same request may succeed later, unchanged' }),
  hint: Type.Optional(Type.String({ description: 'what to do about it' })),
  fields: Type.Optional(Type.Array(FieldErrorSchema)),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
};

/** An error as part of a resource, such as the outcome of a dispatch. */
export const ErrorEnvelopeSchema = Type.Object(common, closed);
export type ErrorEnvelopeBody = Wire<typeof ErrorEnvelopeSchema>;

/** The body of every answer that is not a success. */
export const ErrorBodySchema = Type.Object(
  {
    error: Type.Object(
      {
        ...common,
        traceId: Type.String({ description: 'names this request in the log of the daemon' }),
      },
      closed,
    ),
  },
  closed,
);
export type ErrorBody = Wire<typeof ErrorBodySchema>;
