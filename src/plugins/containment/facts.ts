import { type Kind, kindOf, kinds, kindsOfType } from './kinds.js';
import { isObject, keywordsOf, SchemaDocument, type SchemaNode } from './schema-document.js';

/** A range of numbers. An end that is not `closed` is not part of it. */
export interface Range {
  readonly min: number;
  readonly minClosed: boolean;
  readonly max: number;
  readonly maxClosed: boolean;
}

/** A range of lengths or counts, both ends included. */
export interface Count {
  readonly min: number;
  readonly max: number;
}

/**
 * What is certain of every value that all of some schemas take. Each fact is a bound from outside: a rule that is not
 * understood adds nothing, so a value is never left out that the schemas take.
 */
export interface Facts {
  /** The schemas that all hold, references and `allOf` followed. */
  readonly atoms: readonly SchemaNode[];
  /** The one schema that this is about, if it is one. */
  readonly origin: SchemaNode | undefined;
  /** The groups of alternatives of which one holds (`anyOf`, `oneOf`), but for those of which one was chosen. */
  readonly alternatives: readonly (readonly SchemaNode[])[];
  /** No value is taken. */
  readonly isNever: boolean;
  readonly kinds: ReadonlySet<Kind>;
  /** All values that can be taken, when they can be counted. */
  readonly values: readonly unknown[] | undefined;
  /** It is about one value, and what is in it stands in the facts too. */
  readonly isSpelt: boolean;
  readonly numbers: Range;
  readonly lengths: Count;
  readonly items: Count;
  readonly properties: Count;
  readonly required: ReadonlySet<string>;
}

const most = Number.POSITIVE_INFINITY;

/** What is certain of a value that all of these schemas take; of any value when there are none. */
export function factsOf(nodes: readonly SchemaNode[]): Facts {
  const atoms: SchemaNode[] = [];
  let isNever = false;
  const seen = new Set<SchemaNode>();
  const visit = (node: SchemaNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.schema === false) isNever = true;
    const keywords = keywordsOf(node);
    if (keywords === undefined) return;
    atoms.push(node);
    const target = node.document.target(node);
    if (target !== undefined) visit(target);
    for (const [, child] of node.document.entries(node, 'allOf')) visit(child);
  };
  for (const node of nodes) visit(node);
  const [origin] = nodes;
  return measured(atoms, nodes.length === 1 ? origin : undefined, isNever);
}

/** The same facts, in the case that one of a group of alternatives holds. */
export function withAlternative(facts: Facts, group: readonly SchemaNode[], chosen: SchemaNode): Facts {
  const both = factsOf([...facts.atoms, chosen]);
  const done = new Set(facts.alternatives.filter((one) => one !== group).map(([first]) => first));
  const before = new Set(facts.atoms.flatMap(alternativesOf).map(([first]) => first));
  return {
    ...ofKinds(both, facts.kinds),
    alternatives: both.alternatives.filter(([first]) => !before.has(first) || done.has(first)),
  };
}

/** The same facts, in the case that the value is of one of these kinds. */
export function ofKinds(facts: Facts, wanted: ReadonlySet<Kind>): Facts {
  const left = intersection(facts.kinds, wanted);
  const values = facts.values?.filter((value) => left.has(kindOf(value)));
  return { ...facts, origin: undefined, kinds: left, values, isNever: facts.isNever || left.size === 0 };
}

function alternativesOf(atom: SchemaNode): readonly (readonly SchemaNode[])[] {
  return ['anyOf', 'oneOf'].flatMap((keyword) => {
    const group = atom.document.entries(atom, keyword).map(([, node]) => node);
    return group.length === 0 ? [] : [group];
  });
}

/** The same, for one value. */
export function factsOfValue(value: unknown): Facts {
  return { ...factsOf([new SchemaDocument(describe(value)).root]), isSpelt: true };
}

/** The schema of one value, spelt out one level deep. */
function describe(value: unknown): Readonly<Record<string, unknown>> {
  if (Array.isArray(value)) {
    const prefixItems = value.map((item: unknown) => ({ const: item }));
    return { const: value, prefixItems, minItems: value.length, maxItems: value.length };
  }
  if (!isObject(value)) return { const: value };
  const properties = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, { const: item }]));
  return { const: value, properties, required: Object.keys(value), additionalProperties: false };
}

function measured(atoms: readonly SchemaNode[], origin: SchemaNode | undefined, never: boolean): Facts {
  let taken: ReadonlySet<Kind> = new Set(kinds);
  let values: readonly unknown[] | undefined;
  const required = new Set<string>();
  const keywords = atoms.map((atom) => keywordsOf(atom) ?? {});
  for (const rules of keywords) {
    const ofType = 'type' in rules ? kindsOfType(rules.type) : undefined;
    if (ofType !== undefined) taken = intersection(taken, ofType);
    const listed = listedValues(rules);
    if (listed !== undefined) {
      const before = values;
      values = before === undefined ? listed : listed.filter((value) => includes(before, value));
    }
    if (Array.isArray(rules.required))
      for (const name of rules.required) if (typeof name === 'string') required.add(name);
  }
  if (values === undefined && [...taken].every((kind) => kind === 'null' || kind === 'boolean')) {
    values = [...taken].flatMap((kind): unknown[] => (kind === 'null' ? [null] : [true, false]));
  }
  if (values !== undefined) {
    const possible = taken;
    values = values.filter((value) => possible.has(kindOf(value)));
    taken = new Set(values.map(kindOf));
  }
  const numbers = numberRange(keywords, values, taken);
  const lengths = countRange(keywords, 'minLength', 'maxLength', lengthsOf(values));
  const items = itemRange(atoms, keywords);
  const properties = propertyRange(keywords, required.size);
  if (values === undefined) {
    const ranges: readonly (readonly [Count, Kind])[] = [
      [lengths, 'string'],
      [items, 'array'],
      [properties, 'object'],
    ];
    const empty = new Set<Kind>(ranges.flatMap(([{ min, max }, kind]) => (min > max ? [kind] : [])));
    if (isEmptyRange(numbers)) empty.add('integer').add('fraction');
    taken = new Set([...taken].filter((kind) => !empty.has(kind)));
  }
  const isNever = never || taken.size === 0;
  const shape = { numbers, lengths, items, properties, required };
  const alternatives = atoms.flatMap(alternativesOf);
  return { atoms, origin, alternatives, isNever, kinds: taken, values, isSpelt: false, ...shape };
}

/** Whether no number is in a range. */
export function isEmptyRange({ min, minClosed, max, maxClosed }: Range): boolean {
  return min > max || (min === max && !(minClosed && maxClosed));
}

function listedValues(rules: Readonly<Record<string, unknown>>): readonly unknown[] | undefined {
  if ('const' in rules) {
    const { const: only } = rules;
    return Array.isArray(rules.enum) && !includes(rules.enum, only) ? [] : [only];
  }
  return Array.isArray(rules.enum) ? rules.enum : undefined;
}

function numberRange(
  keywords: readonly Readonly<Record<string, unknown>>[],
  values: readonly unknown[] | undefined,
  taken: ReadonlySet<Kind>,
): Range {
  let [min, minClosed, max, maxClosed] = [-most, true, most, true];
  const raise = (to: unknown, closed: boolean): void => {
    if (typeof to !== 'number' || to < min || (to === min && (closed || !minClosed))) return;
    [min, minClosed] = [to, closed];
  };
  const lower = (to: unknown, closed: boolean): void => {
    if (typeof to !== 'number' || to > max || (to === max && (closed || !maxClosed))) return;
    [max, maxClosed] = [to, closed];
  };
  for (const rules of keywords) {
    raise(rules.minimum, true);
    raise(rules.exclusiveMinimum, false);
    lower(rules.maximum, true);
    lower(rules.exclusiveMaximum, false);
  }
  const listed = values?.filter((value): value is number => typeof value === 'number');
  if (listed !== undefined && listed.length > 0) {
    raise(Math.min(...listed), true);
    lower(Math.max(...listed), true);
  }
  if (!taken.has('fraction') && !taken.has('infinite')) {
    const [least, greatest] = [Math.ceil(min), Math.floor(max)];
    if (Number.isSafeInteger(least))
      [min, minClosed] = [!minClosed && least === min ? least + 1 : least, true];
    if (Number.isSafeInteger(greatest))
      [max, maxClosed] = [!maxClosed && greatest === max ? greatest - 1 : greatest, true];
  }
  return { min, minClosed, max, maxClosed };
}

function countRange(
  keywords: readonly Readonly<Record<string, unknown>>[],
  least: string,
  greatest: string,
  known: Count | undefined,
): Count {
  let { min, max } = known ?? { min: 0, max: most };
  for (const rules of keywords) {
    const [low, high] = [rules[least], rules[greatest]];
    if (typeof low === 'number' && low > min) min = low;
    if (typeof high === 'number' && high < max) max = high;
  }
  return { min, max };
}

function propertyRange(keywords: readonly Readonly<Record<string, unknown>>[], required: number): Count {
  let { min, max } = countRange(keywords, 'minProperties', 'maxProperties', undefined);
  min = Math.max(min, required);
  for (const { additionalProperties, patternProperties, properties = {} } of keywords) {
    if (additionalProperties === false && patternProperties === undefined && isObject(properties)) {
      max = Math.min(max, Object.keys(properties).length);
    }
  }
  return { min, max };
}

function lengthsOf(values: readonly unknown[] | undefined): Count | undefined {
  const lengths = values?.filter((value) => typeof value === 'string').map((text) => [...text].length) ?? [];
  if (lengths.length === 0) return undefined;
  return { min: Math.min(...lengths), max: Math.max(...lengths) };
}

function itemRange(
  atoms: readonly SchemaNode[],
  keywords: readonly Readonly<Record<string, unknown>>[],
): Count {
  const counted = countRange(keywords, 'minItems', 'maxItems', undefined);
  const { min } = counted;
  let { max } = counted;
  for (const atom of atoms) {
    if (atom.document.below(atom, 'items')?.schema === false) {
      max = Math.min(max, atom.document.entries(atom, 'prefixItems').length);
    }
  }
  return { min, max };
}

/** Whether a list has a JSON value, by value. */
export function includes(list: readonly unknown[], value: unknown): boolean {
  return list.some((one) => sameValue(one, value));
}

/** Whether two JSON values are the same, as a validator sees it: 0 and -0 are, and so are objects in another order. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key]));
}

function intersection<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...a].filter((item) => b.has(item)));
}
