import { Type } from 'typebox';
import { closed, words } from './primitives.js';

/** A JSON Schema 2020-12 document, as data. */
const jsonSchema = Type.Unsafe<boolean | { readonly [keyword: string]: unknown }>({
  description: 'a JSON Schema 2020-12 document',
});

const texts = Type.Array(Type.String());

/** One capability as its plugin describes it: what an operator approves. */
export const DescriptorSchema = Type.Object(
  {
    name: Type.String(),
    title: Type.String(),
    description: Type.String(),
    input: jsonSchema,
    output: jsonSchema,
    timeout: Type.String({ description: 'how long it may run: `30s`' }),
    concurrency: Type.Integer(),
    mediation: Type.Object(
      {
        mode: words(['none', 'local'], 'whether the person at the node is asked first'),
        remember: Type.Optional(
          Type.Object(
            {
              pointer: Type.String(),
              by: words(['origin', 'value'], 'what an answer is remembered for'),
              for: Type.Optional(Type.String({ description: 'for how long at most: `8h`' })),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    readOnly: Type.Boolean(),
    idempotent: Type.Boolean(),
    destructive: Type.Boolean(),
    examples: Type.Array(
      Type.Object(
        { title: Type.String(), input: Type.Unknown(), output: Type.Optional(Type.Unknown()) },
        closed,
      ),
    ),
    plugin: Type.String(),
    publisher: Type.String(),
    isolation: words(['process', 'inline'], 'where its code runs'),
    permissions: Type.Object(
      {
        fileSystem: Type.Optional(
          Type.Object({ read: Type.Optional(texts), write: Type.Optional(texts) }, closed),
        ),
        network: Type.Optional(texts),
        childProcesses: Type.Optional(Type.Boolean()),
        environment: Type.Optional(texts),
      },
      closed,
    ),
  },
  closed,
);
