import type { TSchema } from 'typebox';

/**
 * What `compile` makes of a schema, made when it is first asked for and kept: a daemon has two hundred schemas, whose
 * compilation would be a good part of its start, and most are never used.
 */
export function onFirstUse<T>(compile: (schema: TSchema) => T): (schema: TSchema) => T {
  const compiled = new WeakMap<TSchema, T>();
  return (schema) => {
    const kept = compiled.get(schema);
    if (kept !== undefined) return kept;
    const made = compile(schema);
    compiled.set(schema, made);
    return made;
  };
}
