import { type Facts, factsOf } from './facts.js';
import { keywordsOf, type SchemaNode } from './schema-document.js';

/** The names of properties that the schemas behind some facts name. */
export function namedProperties({ atoms }: Facts): ReadonlySet<string> {
  return new Set(atoms.flatMap((atom) => atom.document.entries(atom, 'properties').map(([name]) => name)));
}

/** What is certain of the property with that name, where there is one. */
export function propertyOf({ atoms }: Facts, name: string): Facts {
  return factsOf(atoms.flatMap((atom) => atom.document.below(atom, 'properties', name) ?? otherOf(atom)));
}

/** What is certain of a property that no schema names. */
export function otherProperty({ atoms }: Facts): Facts {
  return factsOf(atoms.flatMap(otherOf));
}

/** With patterns beside it, the rule for other properties may not be meant for the one in question. */
function otherOf(atom: SchemaNode): readonly SchemaNode[] {
  const rest = atom.document.below(atom, 'additionalProperties');
  return rest === undefined || keywordsOf(atom)?.patternProperties !== undefined ? [] : [rest];
}

/** What is certain of an item; `index` beyond all that have a rule of their own is any of the rest. */
export function itemOf({ atoms }: Facts, index: number): Facts {
  return factsOf(
    atoms.flatMap((atom) => {
      const own = atom.document.below(atom, 'prefixItems', index) ?? atom.document.below(atom, 'items');
      return own === undefined ? [] : [own];
    }),
  );
}

/** How many items have a rule of their own. */
export function ownItems({ atoms }: Facts): number {
  return Math.max(0, ...atoms.map((atom) => atom.document.entries(atom, 'prefixItems').length));
}

/** What is certain of the names of all properties. */
export function namesOf({ atoms }: Facts): Facts {
  return factsOf(
    atoms.flatMap((atom) => {
      const rule = atom.document.below(atom, 'propertyNames');
      return rule === undefined ? [] : [rule];
    }),
  );
}
