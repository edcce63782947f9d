import { type Count, type Facts, includes, isEmptyRange, type Range } from './facts.js';
import type { Gap } from './gap.js';
import { kindsOfType } from './kinds.js';
import { keywordsOf, type SchemaNode } from './schema-document.js';

/** Whether the values keep one rule that looks at nothing inside of them. */
export function keptPlain(facts: Facts, schema: SchemaNode, keyword: string, place: string): readonly Gap[] {
  const limit = keywordsOf(schema)?.[keyword];
  const gap = (about: Partial<Gap>): readonly Gap[] => [
    { place, pointer: schema.pointer, rule: keyword, isUnderstood: true, limit, ...about },
  ];
  const unknown = (): readonly Gap[] => gap({ isUnderstood: false });
  switch (keyword) {
    case 'type': {
      const taken = kindsOfType(limit);
      if (taken === undefined) return unknown();
      const others = [...facts.kinds].filter((kind) => !taken.has(kind));
      return others.length === 0 ? [] : gap({ actual: others });
    }
    case 'const':
    case 'enum': {
      const listed = keyword === 'const' ? [limit] : limit;
      if (!Array.isArray(listed)) return unknown();
      const others = facts.values?.filter((value) => !includes(listed, value));
      if (others === undefined) return gap({ limit: listed });
      return others.length === 0 ? [] : gap({ limit: listed, actual: others });
    }
    case 'pattern':
    case 'format': {
      const isMeant = facts.kinds.has('string') || (keyword === 'format' && hasNumbers(facts));
      if (!isMeant) return [];
      const said = saidOf(facts, keyword);
      if (said.includes(limit)) return [];
      // Another pattern may well be stricter: nobody can tell.
      return said.length === 0 ? gap({}) : gap({ isUnderstood: false, actual: said[0] });
    }
    case 'multipleOf':
      return !hasNumbers(facts) ||
        saidOf(facts, keyword).some((step) => isMultiple(step, limit, facts.numbers))
        ? []
        : gap({ ...actualOf(saidOf(facts, keyword)[0]) });
    case 'minLength':
    case 'maxLength':
      return facts.kinds.has('string') ? keptCount(facts, schema, keyword, facts.lengths, place) : [];
    case 'minimum':
    case 'exclusiveMinimum':
    case 'maximum':
    case 'exclusiveMaximum':
      return typeof limit === 'number' ? keptBound(facts, keyword, limit, gap) : unknown();
    default:
      return unknown();
  }
}

type NewGap = (about: Partial<Gap>) => readonly Gap[];

function keptBound(facts: Facts, keyword: string, limit: number, gap: NewGap): readonly Gap[] {
  if (!hasNumbers(facts)) return [];
  const { min, minClosed, max, maxClosed } = facts.numbers;
  const isOpen = keyword.startsWith('exclusive');
  if (isEmptyRange(facts.numbers)) return [];
  if (keyword.endsWith('inimum')) {
    const isKept = min > limit || (min === limit && !(isOpen && minClosed));
    return isKept ? [] : gap(actualOf(Number.isFinite(min) ? min : undefined));
  }
  const isKept = max < limit || (max === limit && !(isOpen && maxClosed));
  return isKept ? [] : gap(actualOf(Number.isFinite(max) ? max : undefined));
}

/** Whether a count keeps a bound; the gap when it does not. */
export function keptCount(
  facts: Facts,
  schema: SchemaNode,
  keyword: string,
  count: Count,
  place: string,
): readonly Gap[] {
  const limit = keywordsOf(schema)?.[keyword];
  const gap = { place, pointer: schema.pointer, rule: keyword, limit };
  if (typeof limit !== 'number') return [{ ...gap, isUnderstood: false }];
  if (facts.isNever) return [];
  const isLeast = keyword.startsWith('min');
  if (isLeast ? count.min >= limit : count.max <= limit) return [];
  const bound = isLeast ? count.min : count.max;
  const isSaid = isLeast ? bound > 0 : Number.isFinite(bound);
  return [{ ...gap, isUnderstood: true, ...actualOf(isSaid ? bound : undefined) }];
}

function actualOf(actual: unknown): Partial<Gap> {
  return actual === undefined ? {} : { actual };
}

function saidOf(facts: Facts, keyword: string): readonly unknown[] {
  return facts.atoms.flatMap((atom) => {
    const said = keywordsOf(atom)?.[keyword];
    return said === undefined ? [] : [said];
  });
}

function hasNumbers({ kinds }: Facts): boolean {
  return kinds.has('integer') || kinds.has('fraction') || kinds.has('infinite');
}

/** Validators divide in floating point, so only whole numbers within its exact range are compared. */
function isMultiple(step: unknown, of: unknown, { min, max }: Range): boolean {
  if (step === of) return true;
  const isExact = [step, of, min, max].every((number) => Number.isSafeInteger(number));
  return isExact && Number(step) % Number(of) === 0;
}
