/**
 * What a JSON value is, finer than the types of JSON Schema: numbers with and without a fraction, and those that JSON text
 * can write (1e999) and no type takes.
 */
export const kinds = [
  'null',
  'boolean',
  'integer',
  'fraction',
  'string',
  'array',
  'object',
  'infinite',
] as const;
export type Kind = (typeof kinds)[number];

const ofType: Readonly<Record<string, readonly Kind[]>> = {
  null: ['null'],
  boolean: ['boolean'],
  integer: ['integer'],
  number: ['integer', 'fraction'],
  string: ['string'],
  array: ['array'],
  object: ['object'],
};

/** The kinds that the value of the keyword `type` takes; undefined when it is not understood. */
export function kindsOfType(type: unknown): ReadonlySet<Kind> | undefined {
  const names: readonly unknown[] = Array.isArray(type) ? type : [type];
  const taken = new Set<Kind>();
  for (const name of names) {
    if (typeof name !== 'string' || !Object.hasOwn(ofType, name)) return undefined;
    for (const kind of ofType[name] ?? []) taken.add(kind);
  }
  return taken;
}

export function kindOf(value: unknown): Kind {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'boolean':
      return 'boolean';
    case 'string':
      return 'string';
    case 'number':
      if (!Number.isFinite(value)) return 'infinite';
      return Number.isInteger(value) ? 'integer' : 'fraction';
    default:
      return 'object';
  }
}
