import { didYouMean } from '../kernel/nearest.js';
import type { JsonSchema } from './descriptor.js';
import { checkJsonLimits } from './json-limits.js';
import { pointerSteps, pointerTo } from './json-pointer.js';
import { problemError } from './plugin-errors.js';
import { checkAssertions, checkPatterns, unknownKeyword } from './schema-assertions.js';
import { refuseCost, refuseLoops, type SchemaNode } from './schema-graph.js';
import { schemaKeywords } from './schema-keywords.js';
import { schemaLimits } from './schema-limits.js';

interface Reference {
  readonly from: SchemaNode;
  readonly target: string;
  /** Pointer of the nearest enclosing `$id`, against which `#/…` is resolved. */
  readonly base: string;
}

/**
 * Refuses a JSON document that is too big or too deep to be looked at as a schema. First step; the meta-schema comes
 * next, then {@link guardSchema}.
 *
 * @throws AppError `plugin.schema_invalid`, `plugin.schema_too_large`, and those of `checkJsonLimits`
 */
export function capSchema(document: unknown): JsonSchema {
  checkJsonLimits(document, schemaLimits);
  if (
    typeof document !== 'boolean' &&
    (typeof document !== 'object' || document === null || Array.isArray(document))
  ) {
    throw problemError('schema_invalid', {
      pointer: '',
      problem: 'is not a JSON Schema (an object, true or false)',
      hint: 'Write true for a schema that accepts everything',
    });
  }
  const bytes = Buffer.byteLength(JSON.stringify(document));
  if (bytes > schemaLimits.bytes) {
    throw problemError('schema_too_large', {
      pointer: '',
      problem: `is a schema of ${bytes} bytes; at most ${schemaLimits.bytes} are taken`,
      hint: 'Use $defs for what it says more than once, and shorter descriptions',
    });
  }
  return document as JsonSchema;
}

/**
 * Refuses what makes a schema unsafe or unclear to compile: references that leave the document, `$data`, keywords and
 * formats that don't exist, patterns without a linear-time meaning, references that loop without looking into the value,
 * and schemas whose references multiply the work for one value.
 *
 * @param schema valid by the meta-schema, within the caps
 * @throws AppError `plugin.schema_invalid`, `plugin.schema_reference`, `plugin.schema_pattern`,
 *   `plugin.schema_too_costly`; the field is the JSON pointer in the schema
 */
export function guardSchema(schema: JsonSchema): void {
  new SchemaWalk().check(schema);
}

class SchemaWalk {
  readonly #nodes = new Map<string, SchemaNode>();
  /** `$id` and `$anchor` names by what a `$ref` would write. */
  readonly #names = new Map<string, string>();
  readonly #references: Reference[] = [];

  check(schema: JsonSchema): void {
    const root = this.#visit(schema, '', '');
    for (const reference of this.#references) reference.from.here.push(this.#resolve(reference));
    refuseLoops(this.#nodes.values());
    refuseCost(root);
  }

  #visit(schema: unknown, pointer: string, outerBase: string): SchemaNode {
    const node: SchemaNode = { here: [], inside: [], pointer };
    this.#nodes.set(pointer, node);
    if (typeof schema !== 'object' || schema === null) return node;
    const keywords = schema as Readonly<Record<string, unknown>>;
    const base = this.#identify(keywords, pointer, outerBase);
    if (typeof keywords.$ref === 'string') {
      this.#references.push({ from: node, target: keywords.$ref, base });
    }
    checkAssertions(keywords, pointer);
    for (const keyword of Object.keys(keywords)) {
      const below = pointerTo(pointer, keyword);
      const kind = schemaKeywords.get(keyword);
      if (kind === undefined) throw unknownKeyword(keyword, below);
      if (kind === 'plain') continue;
      const children = this.#children(
        keywords[keyword],
        below,
        base,
        kind.endsWith('-list') || kind.endsWith('-map') || kind === 'definitions',
      );
      if (keyword === 'patternProperties') checkPatterns(keywords[keyword], below);
      if (kind.startsWith('here')) node.here.push(...children);
      else if (kind.startsWith('inside')) node.inside.push(...children);
    }
    return node;
  }

  #children(value: unknown, pointer: string, base: string, many: boolean): SchemaNode[] {
    if (!many) return [this.#visit(value, pointer, base)];
    if (Array.isArray(value))
      return value.map((child, index) => this.#visit(child, pointerTo(pointer, index), base));
    return Object.entries(value as object).map(([key, child]) =>
      this.#visit(child, pointerTo(pointer, key), base),
    );
  }

  /** Notes the schema's names; returns the base of the references inside it. */
  #identify(keywords: Readonly<Record<string, unknown>>, pointer: string, base: string): string {
    const id = keywords.$id;
    if (typeof id === 'string')
      this.#name(id, pointer, pointerTo(pointer, '$id'), /^[A-Za-z][A-Za-z0-9_-]*$/);
    const inner = typeof id === 'string' ? pointer : base;
    const anchor = keywords.$anchor;
    if (typeof anchor === 'string')
      this.#name(`${inner}#${anchor}`, pointer, pointerTo(pointer, '$anchor'), /#[A-Za-z_][\w.-]*$/);
    return inner;
  }

  #name(name: string, pointer: string, at: string, shape: RegExp): void {
    if (!shape.test(name)) {
      const problem = 'must be a plain name, not an address';
      throw problemError('schema_reference', { pointer: at, problem, hint: 'Use letters, digits, _ and -' });
    }
    if (this.#names.has(name))
      throw problemError('schema_reference', {
        pointer: at,
        problem: 'is used twice',
        hint: 'Give each its own name',
      });
    this.#names.set(name, pointer);
  }

  #resolve({ from, target, base }: Reference): SchemaNode {
    const at = pointerTo(from.pointer, '$ref');
    const local =
      target === '#' || target.startsWith('#/') ? base + decodeFragment(target.slice(1), at) : undefined;
    const pointer = local ?? this.#names.get(target.startsWith('#') ? base + target : target);
    const node = pointer === undefined ? undefined : this.#nodes.get(pointer);
    if (node !== undefined) return node;
    const remote = !target.startsWith('#');
    throw problemError('schema_reference', {
      pointer: at,
      problem: remote
        ? 'refers to another document, which is never fetched'
        : 'refers to a schema that is not there',
      hint: remote
        ? 'Copy what it refers to into $defs and refer to it as #/$defs/name'
        : (didYouMean(target, this.#targets()) ?? 'Put what it refers to into $defs'),
    });
  }

  #targets(): readonly string[] {
    return [...this.#nodes.keys()]
      .filter((pointer) => pointer.startsWith('/$defs/'))
      .map((pointer) => `#${pointer}`);
  }
}

function decodeFragment(fragment: string, at: string): string {
  try {
    return pointerSteps(decodeURIComponent(fragment)).reduce<string>(
      (parent, step) => pointerTo(parent, step),
      '',
    );
  } catch (cause) {
    const hint = 'Write #/$defs/name';
    throw problemError('schema_reference', {
      pointer: at,
      problem: 'is not a valid JSON pointer',
      hint,
      cause,
    });
  }
}
