import type { Gap } from './gap.js';

/** Longest text that is quoted, characters; and most items of a list. */
const longest = 60;
const mostListed = 5;

/**
 * A gap as a person would say it, without its place.
 *
 * @param isGained the rule stood in the schema before and is broken by the one after, so that it may take more; else the other way
 *   round.
 */
export function gapSentence(gap: Gap, isGained: boolean): string {
  const { rule, limit, actual } = gap;
  const [before, after] = isGained ? [limit, actual] : [actual, limit];
  switch (rule) {
    case 'size':
      return 'is too large to be compared';
    case 'false':
      if (!gap.isUnderstood) return 'is no schema';
      return isGained ? 'is newly allowed' : 'is no longer allowed';
    case 'type': {
      const names = Array.isArray(actual) ? typeNames(actual) : [];
      return isGained ? `may also be ${words(names, 'or')}` : `may no longer be ${words(names, 'or')}`;
    }
    case 'const':
    case 'enum': {
      const limits = Array.isArray(limit) ? limit.map(quoted) : [];
      if (!Array.isArray(actual))
        return isGained
          ? `is no longer limited to ${words(limits, 'or')}`
          : `is limited to ${words(limits, 'or')}`;
      return `${isGained ? 'newly allows' : 'no longer allows'} ${words(actual.map(quoted), 'and')}`;
    }
    case 'required':
      return `${quoted(limit)} is ${isGained ? 'no longer' : 'newly'} required`;
    case 'uniqueItems':
      return isGained ? 'items may be repeated' : 'items may no longer be repeated';
    case 'format':
    case 'pattern':
    case 'multipleOf':
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
    case 'minLength':
    case 'maxLength':
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'maxProperties':
      return changed(rule, before, after, gap.isUnderstood);
    default:
      return `${quoted(rule).slice(1, -1)} differs in a way that can't be compared`;
  }
}

function changed(rule: string, before: unknown, after: unknown, isUnderstood: boolean): string {
  if (!isUnderstood) {
    return `${rule} changed from ${quoted(before)} to ${quoted(after)}, which can't be compared`;
  }
  if (after === undefined) return `${rule} ${quoted(before)} dropped`;
  if (before === undefined) return `${rule} ${quoted(after)} added`;
  const isRaised = typeof before === 'number' && typeof after === 'number' && after > before;
  const verb = rule === 'multipleOf' ? 'changed' : isRaised ? 'raised' : 'lowered';
  return `${rule} ${verb} from ${quoted(before)} to ${quoted(after)}`;
}

function typeNames(kinds: readonly unknown[]): readonly string[] {
  const others = kinds.map(String).filter((kind) => kind !== 'fraction' && kind !== 'infinite');
  if (!kinds.includes('fraction')) return others;
  return [
    ...others.filter((kind) => kind !== 'integer'),
    kinds.includes('integer') ? 'number' : 'number with a fraction',
  ];
}

function words(items: readonly string[], joint: string): string {
  const shown = items.slice(0, mostListed);
  const more = items.length - shown.length;
  if (more > 0) return `${shown.join(', ')} ${joint} ${more} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} ${joint} ${shown.at(-1)}`;
}

/** A value of a schema, on one line and bounded. */
function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
