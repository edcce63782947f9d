import { definePlugin, Type } from 'palyra-node-runtime/plugin';
import { expect, expectTypeOf, test } from 'vitest';

const about = { version: '1.0.0', publisher: 'Test', engines: { palyra: '*' } };

test('handler types are inferred from the schemas, for each capability apart', () => {
  const plugin = definePlugin({
    ...about,
    name: 'typed',
    config: Type.Object({ prefix: Type.String() }),
    capabilities: {
      greet: {
        title: 'Greet',
        description: 'Says hello.',
        input: Type.Object({ name: Type.String(), times: Type.Optional(Type.Integer()) }),
        output: Type.Object({ greeting: Type.String() }),
        handler: ({ input, config }) => {
          expectTypeOf(input).toEqualTypeOf<{ name: string; times?: number }>();
          expectTypeOf(config).toEqualTypeOf<{ prefix: string }>();
          return { greeting: config.prefix + input.name };
        },
      },
      count: {
        title: 'Count',
        description: 'Counts letters.',
        input: Type.Object({ text: Type.String() }),
        output: Type.Object({ letters: Type.Integer() }),
        handler: async ({ input, signal }) => {
          expectTypeOf(input).toEqualTypeOf<{ text: string }>();
          expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
          return { letters: input.text.length };
        },
      },
    },
  });
  expect(plugin.capabilities.map((capability) => capability.name)).toEqual(['greet', 'count']);
  expect(Object.isFrozen(plugin)).toBe(true);
});

test('a handler that returns something else than its output schema does not compile', () => {
  definePlugin({
    ...about,
    name: 'wrong',
    capabilities: {
      count: {
        title: 'Count',
        description: 'Counts letters.',
        input: Type.Object({ text: Type.String() }),
        output: Type.Object({ letters: Type.Integer() }),
        // @ts-expect-error letters must be a number
        handler: ({ input }) => ({ letters: input.text }),
      },
    },
  });
});
