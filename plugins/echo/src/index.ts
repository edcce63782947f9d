import { definePlugin, Type } from 'palyra-node-runtime/plugin';

const message = Type.Object(
  {
    message: Type.Optional(Type.String({ maxLength: 65_536, description: 'A text to send there and back.' })),
    value: Type.Optional(Type.Unknown({ description: 'Any JSON value to send there and back.' })),
  },
  { additionalProperties: false },
);

export default definePlugin({
  name: 'echo',
  version: '1.0.0',
  publisher: 'Palyra',
  engines: { palyra: '>=0.1.0' },
  isolation: 'inline',
  capabilities: {
    echo: {
      title: 'Echo',
      description: 'Returns its input unchanged. Shows that a node is reachable and how fast it answers.',
      input: message,
      output: message,
      timeout: '10s',
      concurrency: 256,
      readOnly: true,
      idempotent: true,
      examples: [
        { title: 'A greeting', input: { message: 'hi' }, output: { message: 'hi' } },
        {
          title: 'Any JSON',
          input: { value: [1, null, { a: true }] },
          output: { value: [1, null, { a: true }] },
        },
      ],
      handler: ({ input }) => input,
    },
  },
});
