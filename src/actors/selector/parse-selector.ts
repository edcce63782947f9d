import type { AppError } from '../../kernel/errors.js';
import { didYouMean } from '../../kernel/nearest.js';
import { selectorError } from '../errors.js';
import { isWord, type Selector, selectorKeys, selectorWords } from './selector.js';
import { type SelectorToken, SelectorTokens } from './selector-tokens.js';

/** The longest selector, characters. */
export const longestSelector = 4_096;
/** How deep `not` and parentheses may stand in each other. */
export const deepestSelector = 32;

const aTerm = 'label=value, key:value or a node';
const theKeys = selectorKeys.map((key) => `${key}:`).join(', ');
/** The names that labels have (`givenLabels` of the contract). */
const labelName = /^(?!(?:constructor|prototype)$)[a-z0-9](?:[a-z0-9._/-]{0,61}[a-z0-9])?$/;

/**
 * Reads a selector:
 *
 *     or    = and { "or" and }
 *     and   = unary { "and" unary }
 *     unary = "not" unary | "(" or ")" | term
 *     term  = label "=" value | ( "capability" | "platform" | "arch" | "name" ) ":" pattern | node
 *
 * A value, a pattern or a node stands as it is, or in double quotes, where `\"` is a quote and `\\` a backslash. In time and memory
 * linear in the text, of which {@link longestSelector} characters are the most.
 *
 * @throws AppError `selector.invalid` with the position (`details.position`, from 1) and what was expected there.
 * @example
 * parseSelector('role=edge and not platform:win32');
 */
export function parseSelector(text: string): Selector {
  if (text.length > longestSelector) {
    throw selectorError(
      'invalid',
      `The selector has ${text.length} characters, more than ${longestSelector}`,
      {
        fields: [{ field: 'selector', message: 'is too long' }],
        hint: 'Give the nodes a label in common and select by that: palyra devices label',
      },
    );
  }
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: SelectorTokens;
  #token: SelectorToken;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = new SelectorTokens(text, ({ at, expected }) => {
      throw this.#fault(at, expected);
    });
    this.#token = this.#tokens.next();
  }

  parse(): Selector {
    if (this.#isEnd()) {
      throw selectorError('invalid', 'The selector is empty', {
        fields: [{ field: 'selector', message: 'is empty' }],
        hint: 'Say which nodes, such as role=edge and platform:linux; for every node there is --all.',
        details: { position: 1, expected: aTerm },
      });
    }
    const selector = this.#joined('or', () => this.#joined('and', () => this.#unary()));
    if (!this.#isEnd()) throw this.#unexpected('and, or or the end');
    return selector;
  }

  #joined(word: 'and' | 'or', operand: () => Selector): Selector {
    const first = operand();
    if (!this.#isAt(word)) return first;
    const operands = [first];
    while (this.#isAt(word)) {
      this.#advance();
      operands.push(operand());
    }
    return { kind: word, operands };
  }

  #unary(): Selector {
    if (this.#isAt('not')) return this.#nested(() => ({ kind: 'not', operand: this.#unary() }));
    if (this.#token.kind === '(') return this.#nested(() => this.#inParentheses());
    return this.#term();
  }

  #nested(read: () => Selector): Selector {
    if (this.#depth === deepestSelector) {
      throw this.#fault(this.#token.at, `less than ${deepestSelector} of not and ( in each other`);
    }
    this.#depth += 1;
    this.#advance();
    const selector = read();
    this.#depth -= 1;
    return selector;
  }

  #inParentheses(): Selector {
    const selector = this.#joined('or', () => this.#joined('and', () => this.#unary()));
    if (this.#token.kind !== ')') throw this.#unexpected('and, or or )');
    this.#advance();
    return selector;
  }

  #term(): Selector {
    const token = this.#token;
    if (token.kind !== 'term' || (isWord(token.text) && !token.quoted && token.joint === undefined))
      throw this.#unexpected(aTerm);
    const selector = this.#selectorOf(token);
    this.#advance();
    return selector;
  }

  #selectorOf({ key = '', joint, text, at, quoted }: Extract<SelectorToken, { kind: 'term' }>): Selector {
    if (joint !== undefined && text === '' && !quoted) {
      const empty = joint === '=' ? ' (or "" for an empty one)' : '';
      throw this.#fault(at + key.length + 1, `a value after ${key}${joint}${empty}`);
    }
    if (joint === undefined) {
      if (text === '') throw this.#fault(at, 'the name or id of a node');
      return { kind: 'node', text };
    }
    if (joint === '=') {
      if (labelName.test(key)) return { kind: 'label', name: key, value: text };
      throw this.#fault(at, 'the name of a label before =: lower-case letters, digits and . _ / -');
    }
    const known = selectorKeys.find((one) => one === key);
    if (known === undefined)
      throw this.#fault(at, `one of ${theKeys} or label=value`, didYouMean(key, selectorKeys));
    return { kind: 'key', key: known, pattern: text };
  }

  #isEnd(): boolean {
    return this.#token.kind === 'end';
  }

  #isAt(word: string): boolean {
    const token = this.#token;
    return token.kind === 'term' && token.text === word && token.joint === undefined && !token.quoted;
  }

  #advance(): void {
    this.#token = this.#tokens.next();
  }

  #unexpected(expected: string): AppError {
    const { kind, at, text } = this.#token;
    const near = kind === 'term' ? didYouMean(text, selectorWords) : undefined;
    return this.#fault(at, expected, near);
  }

  #fault(at: number, expected: string, near?: string): AppError {
    const found = at >= this.#text.length ? 'the end' : `'${this.#text.slice(at, at + 20)}'`;
    const message = `expected ${expected} at character ${at + 1}, found ${found}`;
    return selectorError('invalid', `The selector can not be read: ${message}`, {
      fields: [{ field: 'selector', message }],
      hint: near ?? 'An example: role=edge and not platform:win32. The grammar is in docs/selectors.md.',
      details: { position: at + 1, expected },
    });
  }
}
