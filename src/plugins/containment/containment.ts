import type { JsonSchema } from '../descriptor.js';
import { factsOf } from './facts.js';
import type { Gap } from './gap.js';
import { gapSentence } from './gap-sentence.js';
import { Proof, TooManySteps } from './proof.js';
import { SchemaDocument, type SchemaNode } from './schema-document.js';

/** How what one schema takes lies to what another one takes. `unknown`: nobody can tell, so it may be wider. */
export type Containment = 'equal' | 'wider' | 'narrower' | 'incomparable' | 'unknown';

/** One place at which two schemas differ. */
export interface SchemaDifference {
  /** Where in the value, as `url` or `tags/*`; '' is the whole value. */
  readonly place: string;
  /** JSON pointer: of what is wider in the schema before, else in the schema after. */
  readonly pointer: string;
  readonly kind: 'wider' | 'narrower' | 'unknown';
  /** For people, without the place: `maxLength raised from 100 to 2000`. It quotes the schemas. */
  readonly sentence: string;
}

export interface SchemaComparison {
  readonly verdict: Containment;
  /** What is wider or unknown first. */
  readonly differences: readonly SchemaDifference[];
}

/** No more differences than this are told. */
const mostDifferences = 64;

/**
 * Says whether a schema takes more than another one did, without compiling either: both stay data. `equal` and `narrower` are
 * certain: every value that `after` takes was taken by `before`. All else may be a matter of what is understood here, and is to be
 * looked at by a person.
 *
 * It takes at most 20,000 steps, some microseconds each. Both schemas must be within `schemaLimits.depth`.
 *
 * @example
 * compareSchemas({ type: 'string', maxLength: 100 }, { type: 'string', maxLength: 2000 });
 * // { verdict: 'wider', differences: [{ place: '', pointer: '', kind: 'wider', sentence: 'maxLength raised from 100 to 2000' }] }
 */
export function compareSchemas(before: JsonSchema, after: JsonSchema): SchemaComparison {
  const [old, next] = [new SchemaDocument(before).root, new SchemaDocument(after).root];
  const gained = gapsOf(next, old);
  const lost = gapsOf(old, next);
  const differences = distinct([
    ...gained.map((gap) => difference(gap, gap.isUnderstood ? 'wider' : 'unknown')),
    ...lost.map((gap) => difference(gap, 'narrower')),
  ]);
  return { verdict: verdictOf(gained, lost), differences: differences.slice(0, mostDifferences) };
}

/** Why `wide` may not take all that `narrow` takes. */
function gapsOf(narrow: SchemaNode, wide: SchemaNode): readonly Gap[] {
  try {
    return new Proof().gaps(factsOf([narrow]), wide);
  } catch (thrown) {
    if (thrown instanceof TooManySteps || thrown instanceof RangeError) {
      return [{ place: '', pointer: '', rule: 'size', isUnderstood: false }];
    }
    throw thrown;
  }
}

function verdictOf(gained: readonly Gap[], lost: readonly Gap[]): Containment {
  if (gained.length === 0) return lost.length === 0 ? 'equal' : 'narrower';
  if (gained.every((gap) => !gap.isUnderstood)) return 'unknown';
  return lost.length === 0 ? 'wider' : 'incomparable';
}

function difference(gap: Gap, kind: SchemaDifference['kind']): SchemaDifference {
  return { place: gap.place, pointer: gap.pointer, kind, sentence: gapSentence(gap, kind !== 'narrower') };
}

/** One of those that say the same of one place; the first, which is the wider one. */
function distinct(differences: readonly SchemaDifference[]): readonly SchemaDifference[] {
  const known = new Map<string, SchemaDifference>();
  for (const one of differences) {
    const key = JSON.stringify([one.place, one.sentence]);
    if (!known.has(key)) known.set(key, one);
  }
  return [...known.values()];
}
