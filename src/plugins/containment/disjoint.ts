import { type Count, type Facts, includes, isEmptyRange, type Range } from './facts.js';
import { itemOf, propertyOf } from './members.js';

/** Deeper than this into the values, no more difference is looked for. */
const deepest = 4;

/** Whether no value can be of both. `false` when that can't be seen. */
export function areDisjoint(a: Facts, b: Facts, charge: () => void, depth = 0): boolean {
  charge();
  if (a.isNever || b.isNever) return true;
  if (a.values !== undefined && b.values !== undefined) {
    const { values } = b;
    return !a.values.some((value) => includes(values, value));
  }
  const shared = [...a.kinds].filter((kind) => b.kinds.has(kind));
  return shared.every((kind) => {
    switch (kind) {
      case 'integer':
      case 'fraction':
        return isEmptyRange(bothOf(a.numbers, b.numbers));
      case 'string':
        return areApart(a.lengths, b.lengths);
      case 'array':
        return areApart(a.items, b.items) || haveDisjointItem(a, b, charge, depth);
      case 'object':
        return areApart(a.properties, b.properties) || haveDisjointProperty(a, b, charge, depth);
      default:
        return false;
    }
  });
}

function haveDisjointProperty(a: Facts, b: Facts, charge: () => void, depth: number): boolean {
  if (depth >= deepest) return false;
  return [...new Set([...a.required, ...b.required])].some((name) =>
    areDisjoint(propertyOf(a, name), propertyOf(b, name), charge, depth + 1),
  );
}

function haveDisjointItem(a: Facts, b: Facts, charge: () => void, depth: number): boolean {
  if (depth >= deepest) return false;
  const certain = Math.min(Math.max(a.items.min, b.items.min), 16);
  return Array.from({ length: certain }, (_, index) => index).some((index) =>
    areDisjoint(itemOf(a, index), itemOf(b, index), charge, depth + 1),
  );
}

function areApart(a: Count, b: Count): boolean {
  return Math.max(a.min, b.min) > Math.min(a.max, b.max);
}

function bothOf(a: Range, b: Range): Range {
  const low = a.min > b.min || (a.min === b.min && !a.minClosed) ? a : b;
  const high = a.max < b.max || (a.max === b.max && !a.maxClosed) ? a : b;
  return { min: low.min, minClosed: low.minClosed, max: high.max, maxClosed: high.maxClosed };
}
