import { schemaKeywords } from '../schema-keywords.js';
import { includes, sameValue } from './facts.js';
import { keywordsOf, type SchemaNode } from './schema-document.js';

/** Keywords that judge nothing: they speak to people, or name a place. */
export const remarks: ReadonlySet<string> = new Set([
  ...['$schema', '$id', '$anchor', '$comment', '$defs', 'definitions', 'title', 'description', 'default'],
  ...['examples', 'deprecated', 'readOnly', 'writeOnly'],
  ...['contentEncoding', 'contentMediaType', 'contentSchema'],
]);

/** Lists whose order does not matter. */
const sets = new Set(['required', 'enum', 'type']);

/**
 * Whether two schemas say the same in the same words, but for remarks and the names of definitions. References are followed, also
 * those that lead back.
 *
 * @param charge is called for each pair of schemas that is looked at; it throws to end this.
 */
export function sameSchema(a: SchemaNode, b: SchemaNode, charge: () => void): boolean {
  return new Comparison(charge).same(a, b);
}

/** The same for one keyword of two schemas. */
export function sameKeyword(a: SchemaNode, b: SchemaNode, keyword: string, charge: () => void): boolean {
  return new Comparison(charge).sameKeyword(a, b, keyword);
}

class Comparison {
  readonly #charge: () => void;
  /** Pairs that are being compared, or were found to be the same: a reference that leads back to one adds nothing. */
  readonly #assumed = new Map<SchemaNode, Set<SchemaNode>>();

  constructor(charge: () => void) {
    this.#charge = charge;
  }

  same(a: SchemaNode, b: SchemaNode): boolean {
    if (a === b) return true;
    this.#charge();
    const [left, right] = [keywordsOf(a), keywordsOf(b)];
    if (left === undefined || right === undefined) return sameValue(a.schema, b.schema);
    const assumed = this.#assumed.get(a) ?? new Set();
    if (assumed.has(b)) return true;
    assumed.add(b);
    this.#assumed.set(a, assumed);
    const names = new Set([...Object.keys(left), ...Object.keys(right)].filter((name) => !remarks.has(name)));
    return [...names].every((name) => this.sameKeyword(a, b, name));
  }

  sameKeyword(a: SchemaNode, b: SchemaNode, keyword: string): boolean {
    const [left, right] = [keywordsOf(a)?.[keyword], keywordsOf(b)?.[keyword]];
    if (left === undefined || right === undefined) return left === right;
    if (keyword === '$ref') {
      const [from, to] = [a.document.target(a), b.document.target(b)];
      return from !== undefined && to !== undefined && this.same(from, to);
    }
    const kind = schemaKeywords.get(keyword);
    if (kind === undefined) return false;
    if (kind === 'plain') return sameList(keyword, left, right);
    const [one, other] = [a.document.below(a, keyword), b.document.below(b, keyword)];
    if (one !== undefined && other !== undefined) return this.same(one, other);
    const [these, those] = [a.document.entries(a, keyword), new Map(b.document.entries(b, keyword))];
    if (these.length !== those.size) return false;
    return these.every(([key, child]) => {
      const opposite = those.get(key);
      return opposite !== undefined && this.same(child, opposite);
    });
  }
}

function sameList(keyword: string, a: unknown, b: unknown): boolean {
  if (!sets.has(keyword) || !Array.isArray(a) || !Array.isArray(b)) return sameValue(a, b);
  return a.every((item) => includes(b, item)) && b.every((item) => includes(a, item));
}
