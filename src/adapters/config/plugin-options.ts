import { Type } from 'typebox';
import { pluginNamePattern } from '../../plugins/manifest-schema.js';

/** An option that holds settings of plugins, by their names. */
export function pluginSettings(description: string) {
  return Type.Record(
    Type.String({ pattern: pluginNamePattern }),
    Type.Unsafe<object>({ type: 'object', description: 'The settings of one plugin.' }),
    { description, default: {}, maxProperties: 1000, additionalProperties: false },
  );
}

/** An option that lists plugins by their names. */
export function pluginNames(description: string, initial: readonly string[]) {
  return Type.Array(Type.String({ pattern: pluginNamePattern, maxLength: 128 }), {
    description,
    default: [...initial],
    maxItems: 1000,
    uniqueItems: true,
  });
}

/** An option that lists folders, relative to the file in which it stands. */
export function pluginPaths(description: string) {
  return Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), {
    description,
    default: [],
    maxItems: 64,
    uniqueItems: true,
  });
}
