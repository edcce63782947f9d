/** One piece of a selector. `at` is its first character, counted from 0; `text` is what it stands for, without quotes. */
export type SelectorToken =
  | { readonly kind: '(' | ')' | 'end'; readonly at: number; readonly text: string }
  | {
      readonly kind: 'term';
      readonly at: number;
      readonly text: string;
      /** What stands before `=` or `:`, which is `joint`; without them the whole of it is `text`. */
      readonly key?: string;
      readonly joint?: '=' | ':';
      /** Whether `text` was in quotes: then it is no word. */
      readonly quoted: boolean;
    };

/** A fault of a text that is to be a selector. */
export interface TokenFault {
  readonly at: number;
  readonly expected: string;
}

const blank = /\s/;
/** What ends a text without quotes. */
const boundary = /[\s()"]/;

/** Reads one token after the other, each character once. */
export class SelectorTokens {
  readonly #text: string;
  readonly #fail: (fault: TokenFault) => never;
  #at = 0;

  /** @param fail throws. */
  constructor(text: string, fail: (fault: TokenFault) => never) {
    this.#text = text;
    this.#fail = fail;
  }

  next(): SelectorToken {
    while (this.#at < this.#text.length && blank.test(this.#text.charAt(this.#at))) this.#at += 1;
    const at = this.#at;
    const first = this.#text.charAt(at);
    if (first === '') return { kind: 'end', at, text: '' };
    if (first === '(' || first === ')') {
      this.#at += 1;
      return { kind: first, at, text: first };
    }
    return this.#term(at);
  }

  #term(at: number): SelectorToken {
    if (this.#text.charAt(at) === '"') return { kind: 'term', at, text: this.#quotes(), quoted: true };
    const bare = this.#bare();
    const joint = /[=:]/.exec(bare);
    if (joint === null) {
      this.#requireBoundary();
      return { kind: 'term', at, text: bare, quoted: false };
    }
    const parts = { key: bare.slice(0, joint.index), joint: joint[0] === '=' ? '=' : ':' } as const;
    const text = bare.slice(joint.index + 1);
    if (text === '' && this.#text.charAt(this.#at) === '"')
      return { kind: 'term', at, ...parts, text: this.#quotes(), quoted: true };
    this.#requireBoundary();
    return { kind: 'term', at, ...parts, text, quoted: false };
  }

  #bare(): string {
    const from = this.#at;
    while (this.#at < this.#text.length && !boundary.test(this.#text.charAt(this.#at))) this.#at += 1;
    return this.#text.slice(from, this.#at);
  }

  #quotes(): string {
    const pieces: string[] = [];
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text.charAt(this.#at);
      if (character === '"') {
        this.#at += 1;
        this.#requireBoundary();
        return pieces.join('');
      }
      if (character === '\\') this.#at += 1;
      pieces.push(this.#text.charAt(this.#at));
    }
    return this.#fail({ at: this.#text.length, expected: 'a closing quote' });
  }

  /** A quote that follows a text, or a text that follows a quote, is a slip. */
  #requireBoundary(): void {
    const next = this.#text.charAt(this.#at);
    if (next !== '' && (next === '"' || !boundary.test(next)))
      this.#fail({ at: this.#at, expected: 'a space' });
  }
}
