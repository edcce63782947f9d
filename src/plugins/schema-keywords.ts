/** Where a keyword's subschemas stand, seen from the value that the schema judges. */
export type KeywordKind =
  /** No subschema: an assertion, or a remark. */
  | 'plain'
  /** The same value: `not`, `if`. */
  | 'here'
  | 'here-list'
  | 'here-map'
  /** A value inside it: `items`. */
  | 'inside'
  | 'inside-list'
  | 'inside-map'
  /** Nothing, until a `$ref` comes: `$defs`. */
  | 'definitions';

const keywordsOf: Readonly<Record<KeywordKind, readonly string[]>> = {
  plain: [
    ...['$schema', '$id', '$anchor', '$ref', '$comment', 'title', 'description', 'default', 'examples'],
    ...['deprecated', 'readOnly', 'writeOnly', 'type', 'enum', 'const', 'format', 'pattern', 'required'],
    ...['minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
    ...[
      'minItems',
      'maxItems',
      'uniqueItems',
      'minContains',
      'maxContains',
      'minProperties',
      'maxProperties',
    ],
    ...['dependentRequired', 'contentEncoding', 'contentMediaType', 'contentSchema'],
  ],
  here: ['not', 'if', 'then', 'else'],
  'here-list': ['allOf', 'anyOf', 'oneOf'],
  'here-map': ['dependentSchemas'],
  inside: [
    ...['items', 'contains', 'propertyNames', 'additionalProperties'],
    ...['unevaluatedItems', 'unevaluatedProperties'],
  ],
  'inside-list': ['prefixItems'],
  'inside-map': ['properties', 'patternProperties'],
  definitions: ['$defs', 'definitions'],
};

/** The keywords of JSON Schema 2020-12 that a plugin may use, and where each leads. Anything else is refused. */
export const schemaKeywords: ReadonlyMap<string, KeywordKind> = new Map(
  (Object.keys(keywordsOf) as KeywordKind[]).flatMap((kind) =>
    keywordsOf[kind].map((keyword): [string, KeywordKind] => [keyword, kind]),
  ),
);
