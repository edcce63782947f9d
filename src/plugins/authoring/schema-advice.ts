import type { JsonSchema } from '../descriptor.js';
import { pointerTo } from '../json-pointer.js';
import { schemaKeywords } from '../schema-keywords.js';
import { advice, type Finding } from './finding.js';

/** More than this many of one kind say nothing new. */
const mostPerSchema = 20;

type SchemaObject = Readonly<Record<string, unknown>>;

/** What could be better about the schema of an input, which strangers fill in. */
export function inputAdvice(schema: JsonSchema, at: string): readonly Finding[] {
  const found: Finding[] = [];
  for (const { value, pointer, isProperty } of subschemas(schema, at)) {
    if (isProperty) found.push(...undescribed(value, pointer));
    if (isText(value) && !isBounded(value)) {
      found.push(
        advice('unbounded', pointer, 'accepts a text of any length', {
          hint: 'Say maxLength: a caller may send 1 MiB',
        }),
      );
    }
    if (value.type === 'array' && value.maxItems === undefined && value.items !== false) {
      found.push(advice('unbounded', pointer, 'accepts a list of any length', { hint: 'Say maxItems' }));
    }
    if (isOpenObject(value)) {
      found.push(
        advice('open_object', pointer, 'accepts properties that it does not name, misspelt ones too', {
          hint: 'Say additionalProperties: false',
        }),
      );
    }
  }
  return found.slice(0, mostPerSchema);
}

/** What could be better about the schema of an output, which people read. */
export function outputAdvice(schema: JsonSchema, at: string): readonly Finding[] {
  return [...subschemas(schema, at)]
    .flatMap(({ value, pointer, isProperty }) => (isProperty ? undescribed(value, pointer) : []))
    .slice(0, mostPerSchema);
}

function undescribed(
  { description, enum: values, const: constant }: SchemaObject,
  pointer: string,
): readonly Finding[] {
  if (description !== undefined || values !== undefined || constant !== undefined) return [];
  const hint = 'Add one, with its unit: it is what callers see in help and in the console';
  return [advice('no_description', pointer, 'has no description', { hint })];
}

function isText({ type }: SchemaObject): boolean {
  return type === 'string' || (Array.isArray(type) && type.includes('string'));
}

/** Formats that end by themselves are bounds too. */
function isBounded({ maxLength, enum: values, const: constant, format }: SchemaObject): boolean {
  const isShort =
    typeof format === 'string' && /^(date|time|date-time|uuid|ipv4|ipv6|duration)$/.test(format);
  return maxLength !== undefined || values !== undefined || constant !== undefined || isShort;
}

function isOpenObject(value: SchemaObject): boolean {
  return (
    value.type === 'object' &&
    value.properties !== undefined &&
    value.additionalProperties === undefined &&
    value.unevaluatedProperties === undefined
  );
}

interface Subschema {
  readonly value: SchemaObject;
  readonly pointer: string;
  /** Whether it describes a property that has a name. */
  readonly isProperty: boolean;
}

function* subschemas(schema: unknown, pointer: string, isProperty = false): Iterable<Subschema> {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return;
  const value = schema as SchemaObject;
  yield { value, pointer, isProperty };
  for (const [keyword, child] of Object.entries(value)) {
    const at = pointerTo(pointer, keyword);
    const kind = schemaKeywords.get(keyword);
    if (kind === undefined || kind === 'plain') continue;
    if (kind === 'here' || kind === 'inside') yield* subschemas(child, at);
    else yield* members(child, at, keyword === 'properties');
  }
}

/** The schemas of a list or a map of them. */
function* members(children: unknown, at: string, areProperties: boolean): Iterable<Subschema> {
  if (typeof children !== 'object' || children === null) return;
  for (const [key, child] of Object.entries(children)) {
    yield* subschemas(child, pointerTo(at, key), areProperties);
  }
}
