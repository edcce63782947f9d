import { type Static, type TSchema, Type } from 'typebox';

/** No properties but the named ones: a misspelt one is an error, and nothing leaves the daemon that the contract does not name. */
export const closed = { additionalProperties: false } as const;

type DeepReadonly<T> = unknown extends T
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

/** The type of the JSON that a schema describes, read-only all the way down. */
export type Wire<Schema extends TSchema> = DeepReadonly<Static<Schema>>;

/** One of a few words. */
export function words<const Values extends readonly string[]>(values: Values, description: string) {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: values, description });
}

/** Kinds of ids that the daemon makes, by their prefix. */
const idKinds = {
  cl: 'another host of a device',
  pc: 'a pairing code',
  pr: 'a pairing',
  dp: 'a dispatch',
  gr: 'a grant by label',
  fo: 'a fan-out',
} as const;

/** The id of one kind of resource: its prefix and 26 characters of Crockford's base32. Nothing else gets past the edge. */
export function id(prefix: keyof typeof idKinds) {
  return Type.String({
    pattern: `^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`,
    description: `the id of ${idKinds[prefix]}: ${prefix}_ and 26 letters and digits`,
  });
}

/** How many of a list are wanted. */
export const pageLimit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 500, description: 'at most so many; default 100' }),
);

/** Where a page of things of that kind starts. */
export function pageCursor(prefix: keyof typeof idKinds) {
  return Type.Optional(Type.String({ ...id(prefix), description: '`next` of the page before' }));
}

/** Where the next page starts. */
export const pageNext = Type.Optional(
  Type.String({ description: 'the cursor of the next page; absent on the last' }),
);

/** What of a list is wanted: states, given as `?state=a&state=b`, and a page. */
export function pageFilter<State extends TSchema>(state: State, prefix: keyof typeof idKinds) {
  return Type.Object(
    {
      state: Type.Optional(Type.Array(state, { description: 'only these states' })),
      limit: pageLimit,
      cursor: pageCursor(prefix),
    },
    closed,
  );
}

/** A point in time, RFC 3339 in UTC. */
export function time(description: string) {
  return Type.String({ description: `${description} (RFC 3339, UTC)` });
}

/** A span of time in milliseconds. */
export function milliseconds(
  description: string,
  range: { minimum: number; maximum?: number } = { minimum: 0 },
) {
  return Type.Integer({ ...range, description: `${description}, in milliseconds` });
}

export const digest = Type.String({ description: 'SHA-256, lower-case hexadecimal' });

/** Labels as the daemon shows them. */
export const labels = Type.Record(Type.String(), Type.String(), { description: 'labels set by operators' });

/** The most labels that one request gives or takes. */
export const mostGivenLabels = 32;

const labelName = '^(?!(?:constructor|prototype)$)[a-z0-9](?:[a-z0-9._/-]{0,61}[a-z0-9])?$';

/** Labels as a caller gives them. */
export const givenLabels = Type.Record(Type.String({ pattern: labelName }), Type.String({ maxLength: 256 }), {
  ...closed,
  maxProperties: mostGivenLabels,
  description:
    'At most 32 labels: names of up to 63 lower-case letters, digits and . _ / -, values of up to 256 characters',
});

/** An idempotency key as a caller gives it. */
export function givenKey(description: string) {
  return Type.String({
    pattern: '^[!-~]{1,200}$',
    description: `${description}, 1 to 200 visible ASCII characters`,
  });
}

/** The name of one label as a caller gives it. */
export const givenLabelName = Type.String({ pattern: labelName });

/** A text that a person wrote: a reason or a purpose. */
export function note(description: string) {
  return Type.String({ maxLength: 500, description });
}

/** The name of a node as an operator gives it. */
export const nodeName = Type.String({
  pattern: '^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$',
  description: 'the name of the node, up to 63 letters, digits and . _ -',
});
