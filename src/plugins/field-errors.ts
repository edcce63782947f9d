import type { ErrorObject } from 'ajv';
import type { FieldError } from '../kernel/errors.js';
import { didYouMean } from '../kernel/nearest.js';
import { pointerTo } from './json-pointer.js';

/** No more than this many are reported for one value. */
const most = 10;

/** Keywords that only say that a schema below them failed; what failed there says more. */
const wrappers = new Set(['anyOf', 'oneOf', 'if', 'propertyNames']);

/**
 * What Ajv found, as a person would want to read it: a JSON pointer and a sentence each, without repetition. Where
 * alternatives failed, those that got deepest into the value are kept.
 */
export function fieldErrors(found: readonly ErrorObject[]): readonly FieldError[] {
  const inner = found.filter((error) => !wrappers.has(error.keyword));
  const kept = inner.length === 0 ? found : inner;
  const merged = new Map<string, FieldError>();
  for (const error of [...mergeConstants(kept)].sort((a, b) => rank(a) - rank(b))) {
    const field = describe(error);
    merged.set(`${field.field} ${field.message}`, field);
    if (merged.size === most) break;
  }
  return [...merged.values()];
}

/** Misspelt keys first: they explain the missing ones. */
function rank(error: ErrorObject): number {
  return error.keyword === 'additionalProperties' || error.keyword === 'unevaluatedProperties' ? 0 : 1;
}

/** Alternatives that are constants at one place become one `enum`. */
function* mergeConstants(errors: readonly ErrorObject[]): Iterable<ErrorObject> {
  const constants = new Map<string, unknown[]>();
  for (const error of errors) {
    if (error.keyword !== 'const') continue;
    const values = constants.get(error.instancePath) ?? [];
    values.push(error.params.allowedValue);
    constants.set(error.instancePath, values);
  }
  for (const error of errors) {
    const values = error.keyword === 'const' ? constants.get(error.instancePath) : undefined;
    if (values === undefined || values.length === 1) yield error;
    else yield { ...error, keyword: 'enum', params: { allowedValues: values } };
  }
}

function describe(error: ErrorObject): FieldError {
  const { instancePath: at, params, keyword } = error;
  switch (keyword) {
    case 'required':
      return { field: pointerTo(at, String(params.missingProperty)), message: 'is required' };
    case 'dependentRequired':
      return {
        field: pointerTo(at, String(params.missingProperty)),
        message: `is required when ${String(params.property)} is given`,
      };
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(params.additionalProperty ?? params.unevaluatedProperty);
      const question = didYouMean(key, propertiesOf(error));
      return {
        field: pointerTo(at, key),
        message: `is not a known property${question ? `. ${question}` : ''}`,
      };
    }
    case 'enum':
    case 'const': {
      const values: unknown[] = keyword === 'enum' ? params.allowedValues : [params.allowedValue];
      const text = values.slice(0, most).map((value) => JSON.stringify(value));
      const question =
        typeof error.data === 'string' ? didYouMean(error.data, values.filter(isText)) : undefined;
      return { field: at, message: `must be ${text.join(' or ')}${question ? `. ${question}` : ''}` };
    }
    case 'pattern': {
      const about = descriptionOf(error);
      const rule = `must match the pattern ${String(params.pattern)}`;
      return { field: at, message: about === undefined ? rule : `${rule} (${about})` };
    }
    case 'type':
      return { field: at, message: `must be ${[params.type].flat().map(withArticle).join(' or ')}` };
    case 'false schema':
      return { field: at, message: 'is not allowed here' };
    default:
      return { field: at, message: error.message ?? `fails the rule '${keyword}'` };
  }
}

function withArticle(type: unknown): string {
  if (type === 'null') return 'null';
  return /^[aio]/.test(String(type)) ? `an ${String(type)}` : `a ${String(type)}`;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function propertiesOf(error: ErrorObject): readonly string[] {
  return Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
}

function descriptionOf(error: ErrorObject): string | undefined {
  const description = error.parentSchema?.description;
  return isText(description) ? description.slice(0, 200) : undefined;
}
