import { areDisjoint } from './disjoint.js';
import { type Facts, factsOf, factsOfValue, ofKinds, withAlternative } from './facts.js';
import type { Gap } from './gap.js';
import { keptByArrays, keptByObjects, type Show } from './member-rules.js';
import { propertyOf } from './members.js';
import { remarks, sameKeyword, sameSchema } from './same-schema.js';
import { keywordsOf, type SchemaNode } from './schema-document.js';
import { keptPlain } from './value-rules.js';

/** Thrown when a proof takes too many steps. */
export class TooManySteps extends Error {}

/** One comparison costs at most this many steps, some microseconds each. */
const mostSteps = 10_000;

/** A list of values that is longer is not gone through one by one. */
const mostValues = 256;

/** Where a proof is: in the value, as `url` or `tags/*`, and which schemas were met for this very value. */
export interface Place {
  readonly place: string;
  readonly here: readonly SchemaNode[];
}

/**
 * Shows that every value that has some facts is taken by a schema. No gaps: it is shown. A gap does not say that there is a
 * value that is not taken, only that nothing was found that rules it out.
 */
export class Proof {
  #steps = 0;
  /** Pairs of schemas that are being shown: a reference that leads back to one has looked into the value meanwhile. */
  readonly #open = new Map<SchemaNode, Set<SchemaNode>>();
  readonly #charge = (): void => {
    if (++this.#steps > mostSteps) throw new TooManySteps();
  };

  /**
   * @param facts of the values that are to be taken
   * @throws TooManySteps
   */
  gaps(facts: Facts, schema: SchemaNode): readonly Gap[] {
    return this.#gaps(facts, schema, { place: '', here: [] });
  }

  #gaps(facts: Facts, schema: SchemaNode, at: Place): readonly Gap[] {
    this.#charge();
    if (facts.isNever || schema.schema === true) return [];
    const { origin } = facts;
    if (at.here.includes(schema)) return [notUnderstood(schema, at)];
    if (origin === undefined) return this.#byRule(facts, schema, at);
    if (sameSchema(origin, schema, this.#charge)) return [];
    const open = this.#open.get(origin) ?? new Set();
    if (open.has(schema)) return [];
    this.#open.set(origin, open.add(schema));
    try {
      return this.#byRule(facts, schema, at);
    } finally {
      open.delete(schema);
    }
  }

  #byRule(facts: Facts, schema: SchemaNode, at: Place): readonly Gap[] {
    const rules = keywordsOf(schema);
    if (rules === undefined) return [{ ...notUnderstood(schema, at), isUnderstood: schema.schema === false }];
    const within = { place: at.place, here: [...at.here, schema] };
    const gaps = Object.keys(rules)
      .filter((keyword) => !remarks.has(keyword))
      .flatMap((keyword) => this.#kept(facts, schema, keyword, within));
    return gaps.length === 0 ? gaps : (this.#byCase(facts, schema, at) ?? gaps);
  }

  /** The same case by case, for each value that can be counted or each alternative; undefined when that does not help. */
  #byCase(facts: Facts, schema: SchemaNode, at: Place): readonly Gap[] | undefined {
    if (facts.isSpelt) return undefined;
    if (facts.values !== undefined) {
      if (facts.values.length > mostValues) return undefined;
      const isTaken = (value: unknown): boolean => this.#gaps(factsOfValue(value), schema, at).length === 0;
      return facts.values.every(isTaken) ? [] : undefined;
    }
    const [group] = facts.alternatives;
    return group?.flatMap((chosen) => this.#gaps(withAlternative(facts, group, chosen), schema, at));
  }

  /** Whether all values keep one rule of a schema. */
  #kept(facts: Facts, schema: SchemaNode, keyword: string, at: Place): readonly Gap[] {
    if (facts.atoms.some((atom) => this.#says(atom, schema, keyword))) return [];
    const { document } = schema;
    const unknown = { place: at.place, pointer: schema.pointer, rule: keyword, isUnderstood: false };
    const below = (name: string): SchemaNode | undefined => document.below(schema, name);
    const alternatives = (): readonly SchemaNode[] =>
      document.entries(schema, keyword).map(([, rule]) => rule);
    const holds = (rule: SchemaNode | undefined): boolean =>
      rule === undefined || this.#gaps(facts, rule, at).length === 0;
    switch (keyword) {
      case '$ref': {
        const target = document.target(schema);
        return target === undefined ? [unknown] : this.#gaps(facts, target, at);
      }
      case 'allOf':
        return alternatives().flatMap((rule) => this.#gaps(facts, rule, at));
      case 'anyOf':
        return this.#oneHolds(facts, alternatives(), at, () => true) ?? [unknown];
      case 'oneOf': {
        const all = alternatives();
        const excludesOthers = (part: Facts, chosen: SchemaNode): boolean =>
          all.every((other) => other === chosen || this.#excludes(part, other));
        return this.#oneHolds(facts, all, at, excludesOthers) ?? [unknown];
      }
      case 'not': {
        const rule = below('not');
        return rule === undefined || this.#excludes(facts, rule) ? [] : [unknown];
      }
      case 'if':
        return holds(below('then')) && holds(below('else')) ? [] : [unknown];
      // Judged with the `if` beside them; alone they say nothing.
      case 'then':
      case 'else':
        return [];
      case 'dependentSchemas':
        return document
          .entries(schema, keyword)
          .every(([name, rule]) => propertyOf(facts, name).isNever || holds(rule))
          ? []
          : [unknown];
      default: {
        const show: Show = (part, rule, step) =>
          this.#gaps(part, rule, { place: at.place === '' ? step : `${at.place}/${step}`, here: [] });
        return (
          keptByObjects(facts, schema, keyword, at.place, show) ??
          keptByArrays(facts, schema, keyword, at.place, show) ??
          keptPlain(facts, schema, keyword, at.place)
        );
      }
    }
  }

  /** Whether a schema says the same with a keyword, and with those beside it on which its meaning depends. */
  #says(atom: SchemaNode, schema: SchemaNode, keyword: string): boolean {
    const together = meantTogether[keyword] ?? [keyword];
    return (
      !meantWithAll.has(keyword) && together.every((one) => sameKeyword(atom, schema, one, this.#charge))
    );
  }

  /** Whether one alternative holds, for all values or for those of each kind; the gaps of the nearest one if not. */
  #oneHolds(
    facts: Facts,
    alternatives: readonly SchemaNode[],
    at: Place,
    isAllowed: (part: Facts, chosen: SchemaNode) => boolean,
  ): readonly Gap[] | undefined {
    const gaps = alternatives.map((rule) => this.#gaps(facts, rule, at));
    const holds = (part: Facts): boolean =>
      alternatives.some((rule) => this.#gaps(part, rule, at).length === 0 && isAllowed(part, rule));
    if (alternatives.some((rule, index) => gaps[index]?.length === 0 && isAllowed(facts, rule))) return [];
    const isMixed = facts.kinds.size > 1;
    if (isMixed && [...facts.kinds].every((kind) => holds(ofKinds(facts, new Set([kind]))))) return [];
    const [nearest] = gaps
      .filter((some) => some.length > 0)
      .sort((a, b) => distance(a, at) - distance(b, at));
    return gaps.some((some) => some.length === 0) ? undefined : nearest;
  }

  /** Whether no value is taken by a schema: it is of another kind or size, or something that takes all of it is ruled out. */
  #excludes(facts: Facts, rule: SchemaNode): boolean {
    const taken = factsOf([rule]);
    if (areDisjoint(facts, taken, this.#charge)) return true;
    return facts.atoms.some((atom) => {
      const excluded = atom.document.below(atom, 'not');
      return excluded !== undefined && this.#gaps(taken, excluded, { place: '', here: [] }).length === 0;
    });
  }
}

/** How far an alternative is from holding: one of another type is no match at all. */
function distance(gaps: readonly Gap[], { place }: Place): number {
  return gaps.length + (gaps.some((gap) => gap.rule === 'type' && gap.place === place) ? 1_000 : 0);
}

function notUnderstood({ pointer }: SchemaNode, { place }: Place): Gap {
  return { place, pointer, rule: 'false', isUnderstood: false };
}

/** Keywords whose meaning depends on others beside them. */
const meantTogether: Readonly<Record<string, readonly string[]>> = {
  additionalProperties: ['additionalProperties', 'properties', 'patternProperties'],
  items: ['items', 'prefixItems'],
  contains: ['contains', 'minContains', 'maxContains'],
  if: ['if', 'then', 'else'],
};

/** They depend on all that is beside them, and are the same only when the whole schema is. */
const meantWithAll = new Set(['unevaluatedProperties', 'unevaluatedItems']);
