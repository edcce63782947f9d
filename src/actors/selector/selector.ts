/** What `key:value` may ask of a node, by key. */
export const selectorKeys = ['capability', 'platform', 'arch', 'name'] as const;
export type SelectorKey = (typeof selectorKeys)[number];

/** Words that join terms; a node that is called like one is written in quotes. */
export const selectorWords = ['and', 'or', 'not'] as const;

/** Which nodes are meant, as a tree. `parseSelector` reads one from a text, {@link selectorText} writes it. */
export type Selector =
  | { readonly kind: 'label'; readonly name: string; readonly value: string }
  /** In `pattern`, `*` stands for any characters, none included. */
  | { readonly kind: 'key'; readonly key: SelectorKey; readonly pattern: string }
  /** One node: its id, a unique beginning of it, or its name. */
  | { readonly kind: 'node'; readonly text: string }
  | { readonly kind: 'not'; readonly operand: Selector }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Selector[] };

/**
 * A selector as a text that reads as the same selector.
 *
 * @example
 * selectorText({ kind: 'not', operand: { kind: 'label', name: 'role', value: 'edge' } }); // 'not role=edge'
 */
export function selectorText(selector: Selector): string {
  switch (selector.kind) {
    case 'label':
      return `${selector.name}=${quoted(selector.value)}`;
    case 'key':
      return `${selector.key}:${quoted(selector.pattern)}`;
    case 'node':
      return isWord(selector.text) || /[=:]/.test(selector.text)
        ? inQuotes(selector.text)
        : quoted(selector.text);
    case 'not':
      return `not ${operandText(selector.operand)}`;
    default:
      return selector.operands.map(operandText).join(` ${selector.kind} `);
  }
}

/** Whether a text is one of the words that join terms. */
export function isWord(text: string): text is (typeof selectorWords)[number] {
  return (selectorWords as readonly string[]).includes(text);
}

function operandText(selector: Selector): string {
  const text = selectorText(selector);
  return selector.kind === 'and' || selector.kind === 'or' ? `(${text})` : text;
}

function quoted(text: string): string {
  return text !== '' && !/[\s()"]/.test(text) ? text : inQuotes(text);
}

function inQuotes(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
