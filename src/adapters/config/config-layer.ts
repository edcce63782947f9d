import type { ConfigProblem, Origin } from './config-error.js';

/** Plain JSON, as a config file holds it. */
export type Tree = { [key: string]: unknown };

/** What one source says: the file, the variables or the flags. The later layer wins, option by option. */
export interface ConfigLayer {
  readonly tree: Tree;
  /** Where the value (or, for an unknown one, the key) at a pointer was written; its parent's place if it isn't there. */
  locate(pointer: string, what: 'key' | 'value'): Origin;
  /** What is wrong beyond what the schema can say. */
  readonly problems: readonly ConfigProblem[];
}

/** The value at a path, undefined where the path ends early. */
export function valueAt(tree: unknown, path: readonly string[]): unknown {
  let value = tree;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Tree)[key];
  }
  return value;
}

/** Sets the value at a path, making the objects on the way. `path` is an option's own, never a peer's text. */
export function setValueAt(tree: Tree, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    tree[key] = value;
    return;
  }
  const inner = Object.hasOwn(tree, key) ? (tree[key] as Tree) : {};
  tree[key] = inner;
  setValueAt(inner, rest, value);
}
