import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';
import { pointerTo } from '../../plugins/json-pointer.js';
import { type ConfigProblem, type Origin, quoted } from './config-error.js';
import type { ConfigFile } from './config-file.js';
import type { ConfigLayer, Tree } from './config-layer.js';

/** Keys that mean something to JavaScript objects. */
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);
const deepest = 16;

/**
 * Reads a YAML 1.2 document into plain JSON and remembers where each key and value stands. Only what JSON can say is
 * taken: several documents, anchors, aliases, tags and keys that aren't text are problems, each with its place.
 */
export function yamlLayer(file: ConfigFile): ConfigLayer {
  return new YamlReader(file).read();
}

class YamlReader {
  readonly #file: ConfigFile;
  readonly #lines = new LineCounter();
  readonly #places = new Map<string, { readonly key: number; readonly value: number }>();
  readonly #problems: ConfigProblem[] = [];

  constructor(file: ConfigFile) {
    this.#file = file;
  }

  read(): ConfigLayer {
    const tree = this.#parse();
    return { tree, problems: this.#problems, locate: (pointer, what) => this.#locate(pointer, what) };
  }

  #parse(): Tree {
    const options = {
      lineCounter: this.#lines,
      prettyErrors: false,
      version: '1.2',
      logLevel: 'error',
    } as const;
    const documents = parseAllDocuments(this.#file.text, options);
    const [first, second] = documents;
    // What the parser made of a file that isn't YAML would only add misleading problems.
    for (const error of first?.errors ?? []) this.#problem('', error.pos[0], error.message);
    if (this.#problems.length > 0 || first === undefined) return {};
    if (second !== undefined)
      this.#problem('', second.range?.[0] ?? 0, 'starts a second document; a config file has one');
    return this.#document(first);
  }

  #document(document: Document.Parsed<ParsedNode>): Tree {
    const version = document.directives.yaml.version;
    if (version !== '1.2') this.#problem('', 0, `is YAML ${version}; write YAML 1.2, without a %YAML line`);
    const root = document.contents;
    if (root === null || (isScalar(root) && root.value === null)) return {};
    if (isMap(root)) return this.#map(root, '', 0);
    this.#problem('', offsetOf(root), 'should be a mapping of sections such as `listen:` and `log:`');
    return {};
  }

  #map(map: YAMLMap, pointer: string, depth: number): Tree {
    const tree: Tree = {};
    for (const { key, value } of map.items) {
      const at = offsetOf(key);
      if (!isScalar(key) || typeof key.value !== 'string') {
        this.#problem(
          pointer,
          at,
          `has a key that is not text: ${quoted(isScalar(key) ? key.value : String(key))}`,
        );
        continue;
      }
      const inner = pointerTo(pointer, key.value);
      if (forbiddenKeys.has(key.value)) {
        this.#problem(inner, at, 'is not allowed as a key');
        continue;
      }
      this.#refuseExtras(key, inner);
      this.#places.set(inner, { key: at, value: value === null ? at : offsetOf(value) });
      tree[key.value] = this.#value(value, inner, depth + 1);
    }
    return tree;
  }

  #value(node: unknown, pointer: string, depth: number): unknown {
    if (depth > deepest) {
      this.#problem(pointer, offsetOf(node), `is nested more than ${deepest} levels deep`);
      return null;
    }
    if (isScalar(node) || isMap(node) || isSeq(node)) this.#refuseExtras(node, pointer);
    if (isScalar(node)) return node.value;
    if (isMap(node)) return this.#map(node, pointer, depth);
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const inner = pointerTo(pointer, index);
        this.#places.set(inner, { key: offsetOf(item), value: offsetOf(item) });
        return this.#value(item, inner, depth + 1);
      });
    }
    if (node !== null) this.#problem(pointer, offsetOf(node), 'is an alias (*name); write the value itself');
    return null;
  }

  /** Anchors repeat what they name, and a few lines of them can stand for gigabytes. */
  #refuseExtras(node: { anchor?: string | undefined; tag?: string | undefined }, pointer: string): void {
    const at = offsetOf(node);
    if (node.anchor !== undefined)
      this.#problem(pointer, at, `has an anchor (&${node.anchor}); write the value itself`);
    if (node.tag !== undefined)
      this.#problem(pointer, at, `has a tag (${quoted(node.tag)}); write the plain value`);
  }

  #problem(pointer: string, offset: number, message: string): void {
    this.#problems.push({ origin: this.#originAt(offset), pointer, message });
  }

  #locate(pointer: string, what: 'key' | 'value'): Origin {
    for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const place = this.#places.get(at);
      if (place !== undefined) return this.#originAt(place[what]);
    }
    return this.#originAt(0);
  }

  #originAt(offset: number): Origin {
    const { line, col } = this.#lines.linePos(offset);
    return { kind: 'file', file: this.#file.path, line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

function offsetOf(node: unknown): number {
  return (node as { range?: readonly [number, number, number] | null } | null)?.range?.[0] ?? 0;
}
