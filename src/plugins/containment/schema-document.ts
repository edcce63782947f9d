import type { JsonSchema } from '../descriptor.js';
import { pointerSteps, pointerTo } from '../json-pointer.js';
import { schemaKeywords } from '../schema-keywords.js';

/** A schema where it stands in its document. There is one node for each place, so nodes can be compared. */
export interface SchemaNode {
  readonly document: SchemaDocument;
  /** JSON pointer in the document. */
  readonly pointer: string;
  readonly schema: unknown;
  /** Pointer of the nearest enclosing `$id`, against which its `$ref` is resolved. */
  readonly base: string;
}

/** The keywords of a node that is an object; undefined for `true`, `false` and what is no schema. */
export function keywordsOf(node: SchemaNode): Readonly<Record<string, unknown>> | undefined {
  return isObject(node.schema) ? node.schema : undefined;
}

/**
 * All schemas of one document, and what its local references lead to. It takes any JSON: what is no valid schema has places
 * and keywords that nobody understands, and references that lead nowhere.
 */
export class SchemaDocument {
  readonly root: SchemaNode;
  readonly #nodes = new Map<string, SchemaNode>();
  /** `$id` and `$anchor` names by what a `$ref` would write. */
  readonly #names = new Map<string, string>();

  /** @param schema within `schemaLimits.depth`, since it is walked recursively. */
  constructor(schema: JsonSchema) {
    this.root = this.#visit(schema, '', '');
  }

  /** The node under a keyword, or under one entry of it. */
  below(node: SchemaNode, keyword: string, key?: string | number): SchemaNode | undefined {
    const at = pointerTo(node.pointer, keyword);
    return this.#nodes.get(key === undefined ? at : pointerTo(at, key));
  }

  /** All nodes under a keyword that has a list or a map of schemas, with their keys. */
  entries(node: SchemaNode, keyword: string): readonly (readonly [string, SchemaNode])[] {
    const value = keywordsOf(node)?.[keyword];
    if (typeof value !== 'object' || value === null) return [];
    return Object.keys(value).flatMap((key) => {
      const child = this.below(node, keyword, key);
      return child === undefined ? [] : [[key, child] as const];
    });
  }

  /** What the node's `$ref` leads to; undefined when that is nowhere in this document. */
  target(node: SchemaNode): SchemaNode | undefined {
    const reference = keywordsOf(node)?.$ref;
    if (typeof reference !== 'string') return undefined;
    if (reference === '#' || reference.startsWith('#/')) {
      const pointer = decoded(reference.slice(1));
      return pointer === undefined ? undefined : this.#nodes.get(node.base + pointer);
    }
    const named = this.#names.get(reference.startsWith('#') ? node.base + reference : reference);
    return named === undefined ? undefined : this.#nodes.get(named);
  }

  #visit(schema: unknown, pointer: string, outer: string): SchemaNode {
    const keywords = isObject(schema) ? schema : {};
    const base = typeof keywords.$id === 'string' ? pointer : outer;
    if (typeof keywords.$id === 'string') this.#names.set(keywords.$id, pointer);
    if (typeof keywords.$anchor === 'string') this.#names.set(`${base}#${keywords.$anchor}`, pointer);
    const node: SchemaNode = { document: this, pointer, schema, base };
    this.#nodes.set(pointer, node);
    for (const [keyword, value] of Object.entries(keywords)) {
      const kind = schemaKeywords.get(keyword);
      if (kind === undefined || kind === 'plain') continue;
      const at = pointerTo(pointer, keyword);
      const isMany = kind.endsWith('-list') || kind.endsWith('-map') || kind === 'definitions';
      if (!isMany) this.#visit(value, at, base);
      else if (typeof value === 'object' && value !== null)
        for (const [key, child] of Object.entries(value)) this.#visit(child, pointerTo(at, key), base);
    }
    return node;
  }
}

function decoded(fragment: string): string | undefined {
  try {
    return pointerSteps(decodeURIComponent(fragment)).reduce<string>(
      (parent, step) => pointerTo(parent, step),
      '',
    );
  } catch {
    return undefined;
  }
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
