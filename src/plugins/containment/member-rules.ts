import { type Facts, factsOf, factsOfValue, ofKinds } from './facts.js';
import type { Gap } from './gap.js';
import { itemOf, namedProperties, namesOf, otherProperty, ownItems, propertyOf } from './members.js';
import { isObject, keywordsOf, type SchemaNode } from './schema-document.js';
import { keptCount } from './value-rules.js';

/** Shows one thing more about a part of the value, `step` away. */
export type Show = (part: Facts, rule: SchemaNode, step: string) => readonly Gap[];

/** Whether the values keep one rule of objects; undefined when it is none. */
export function keptByObjects(
  facts: Facts,
  schema: SchemaNode,
  keyword: string,
  place: string,
  show: Show,
): readonly Gap[] | undefined {
  const rules = objectRules[keyword];
  if (rules === undefined) return undefined;
  return facts.kinds.has('object') ? rules(facts, schema, place, show) : [];
}

/** Whether the values keep one rule of arrays; undefined when it is none. */
export function keptByArrays(
  facts: Facts,
  schema: SchemaNode,
  keyword: string,
  place: string,
  show: Show,
): readonly Gap[] | undefined {
  const rules = arrayRules[keyword];
  if (rules === undefined) return undefined;
  return facts.kinds.has('array') ? rules(facts, schema, place, show) : [];
}

type Rule = (facts: Facts, schema: SchemaNode, place: string, show: Show) => readonly Gap[];

const objectRules: Readonly<Record<string, Rule>> = {
  properties: (facts, schema, _place, show) =>
    schema.document
      .entries(schema, 'properties')
      .flatMap(([name, rule]) => show(propertyOf(facts, name), rule, name)),
  patternProperties: (facts, schema, _place, show) =>
    schema.document.entries(schema, 'patternProperties').flatMap(([pattern, rule]) => {
      const same = facts.atoms.flatMap(
        (atom) => atom.document.below(atom, 'patternProperties', pattern) ?? [],
      );
      const gaps = same.length === 0 ? undefined : show(factsOf(same), rule, `/${pattern}/`);
      if (gaps?.length === 0) return gaps;
      const ofAll = otherGaps(facts, none, none, rule, show);
      return ofAll.length === 0 ? ofAll : (gaps ?? ofAll);
    }),
  additionalProperties: (facts, schema, _place, show) => {
    const rule = schema.document.below(schema, 'additionalProperties');
    if (rule === undefined || rule.schema === true) return [];
    const named = new Set(schema.document.entries(schema, 'properties').map(([name]) => name));
    const patterns = new Set(schema.document.entries(schema, 'patternProperties').map(([name]) => name));
    return otherGaps(facts, named, patterns, rule, show);
  },
  propertyNames: (facts, schema, _place, show) => {
    const rule = schema.document.below(schema, 'propertyNames');
    if (rule === undefined) return [];
    const gaps = show(ofKinds(namesOf(facts), new Set(['string'])), rule, '(name)');
    if (gaps.length === 0) return gaps;
    const names = closedNames(facts);
    return names?.every((name) => show(factsOfValue(name), rule, name).length === 0) ? [] : gaps;
  },
  required: (facts, schema, place) => {
    const required: unknown = keywordsOf(schema)?.required;
    const gap = { place, pointer: schema.pointer, rule: 'required' };
    if (!Array.isArray(required)) return [{ ...gap, isUnderstood: false }];
    const missing = required.filter((name) => !facts.required.has(name));
    return missing.map((name): Gap => ({ ...gap, isUnderstood: true, limit: name }));
  },
  dependentRequired: (facts, schema, place) => {
    const rules = keywordsOf(schema)?.dependentRequired;
    const gap = { place, pointer: schema.pointer, rule: 'dependentRequired', isUnderstood: false };
    if (!isObject(rules)) return [gap];
    const isKept = Object.entries(rules).every(([name, needed]) => {
      if (!Array.isArray(needed)) return false;
      return propertyOf(facts, name).isNever || needed.every((other) => facts.required.has(other));
    });
    return isKept ? [] : [gap];
  },
  minProperties: (facts, schema, place) => keptCount(facts, schema, 'minProperties', facts.properties, place),
  maxProperties: (facts, schema, place) => keptCount(facts, schema, 'maxProperties', facts.properties, place),
  unevaluatedProperties: (_facts, schema, place) => keptUnevaluated(schema, 'unevaluatedProperties', place),
};

const none: ReadonlySet<string> = new Set();

/** Whether all properties keep a rule, but for those with one of these names or patterns. */
function otherGaps(
  facts: Facts,
  names: ReadonlySet<string>,
  patterns: ReadonlySet<string>,
  rule: SchemaNode,
  show: Show,
): readonly Gap[] {
  const named = [...namedProperties(facts)]
    .filter((name) => !names.has(name))
    .flatMap((name) => show(propertyOf(facts, name), rule, name));
  const rest = show(otherProperty(facts), rule, '(other)');
  if (rest.length === 0) return named;
  // Of a schema with patterns, each other property matches one of them, or is ruled by what it says of the rest.
  const isKeptBy = (atom: SchemaNode): boolean => {
    const own = atom.document
      .entries(atom, 'patternProperties')
      .filter(([pattern]) => !patterns.has(pattern));
    const other = atom.document.below(atom, 'additionalProperties');
    const parts = [...own.map(([, part]) => [part]), other === undefined ? [] : [other]];
    return parts.every((part) => show(factsOf(part), rule, '(other)').length === 0);
  };
  const isKept = facts.atoms.some(
    (atom) => atom.document.entries(atom, 'patternProperties').length > 0 && isKeptBy(atom),
  );
  return isKept ? named : [...named, ...rest];
}

/** All names that a property can have, when they can be counted. */
function closedNames({ atoms }: Facts): readonly string[] | undefined {
  const closed = atoms.find((atom) => {
    const { additionalProperties, patternProperties } = keywordsOf(atom) ?? {};
    return additionalProperties === false && patternProperties === undefined;
  });
  return closed?.document.entries(closed, 'properties').map(([name]) => name);
}

/** Rules for what no other rule has judged depend on all of them: they are compared as a whole, or not at all. */
function keptUnevaluated(schema: SchemaNode, keyword: string, place: string): readonly Gap[] {
  if (schema.document.below(schema, keyword)?.schema === true) return [];
  return [{ place, pointer: schema.pointer, rule: keyword, isUnderstood: false }];
}

const arrayRules: Readonly<Record<string, Rule>> = {
  prefixItems: (facts, schema, _place, show) =>
    schema.document
      .entries(schema, 'prefixItems')
      .flatMap(([, rule], index) =>
        index < facts.items.max ? show(itemOf(facts, index), rule, String(index)) : [],
      ),
  items: (facts, schema, _place, show) => {
    const rule = schema.document.below(schema, 'items');
    return rule === undefined ? [] : itemGaps(facts, ownCount(schema), rule, show);
  },
  minItems: (facts, schema, place) => keptCount(facts, schema, 'minItems', facts.items, place),
  maxItems: (facts, schema, place) => keptCount(facts, schema, 'maxItems', facts.items, place),
  uniqueItems: (facts, schema, place) => {
    const limit = keywordsOf(schema)?.uniqueItems;
    const isKept = limit === false || facts.items.max <= 1;
    const isSaid = facts.atoms.some((atom) => keywordsOf(atom)?.uniqueItems === true);
    const gap = { place, pointer: schema.pointer, rule: 'uniqueItems', limit, isUnderstood: true };
    return isKept || (limit === true && isSaid) ? [] : [gap];
  },
  contains: (facts, schema, place, show) => {
    const rules = keywordsOf(schema) ?? {};
    const rule = schema.document.below(schema, 'contains');
    const { minContains = 1, maxContains = Number.POSITIVE_INFINITY } = rules;
    const isFew = typeof maxContains === 'number' && facts.items.max <= maxContains;
    const isEnough = typeof minContains === 'number' && facts.items.min >= minContains;
    const isAll = (): boolean => rule !== undefined && itemGaps(facts, 0, rule, show).length === 0;
    if (isFew && (minContains === 0 || (isEnough && isAll()))) return [];
    return [{ place, pointer: schema.pointer, rule: 'contains', isUnderstood: false }];
  },
  // They say something beside `contains` only, and are judged with it.
  minContains: () => [],
  maxContains: () => [],
  unevaluatedItems: (_facts, schema, place) => keptUnevaluated(schema, 'unevaluatedItems', place),
};

/** Whether all items from one on keep a rule. */
function itemGaps(facts: Facts, from: number, rule: SchemaNode, show: Show): readonly Gap[] {
  const own = ownItems(facts);
  const gaps: Gap[] = [];
  for (let index = from; index < own && index < facts.items.max; index++) {
    gaps.push(...show(itemOf(facts, index), rule, String(index)));
  }
  const rest = Math.max(from, own);
  return rest < facts.items.max ? [...gaps, ...show(itemOf(facts, rest), rule, '*')] : gaps;
}

function ownCount(schema: SchemaNode): number {
  return schema.document.entries(schema, 'prefixItems').length;
}
