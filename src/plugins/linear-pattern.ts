import { RE2JS } from 're2js';

/** What Ajv needs of a regular expression. */
export interface LinearPattern {
  test(text: string): boolean;
  /** Ajv tells patterns apart by this text. */
  toString(): string;
}

/**
 * Compiles a pattern that someone else wrote, with an engine whose time is linear in the text (RE2), so that no pattern
 * can hang us. Look-around and back references don't exist there.
 *
 * @throws RE2JSSyntaxException with a readable message
 */
export function linearPattern(source: string): LinearPattern {
  const pattern = RE2JS.compile(RE2JS.translateRegExp(source));
  return { test: (text) => pattern.test(text), toString: () => `/${source}/u` };
}

/** The shape in which Ajv takes another engine; `code` would only be used in generated standalone files. */
export const linearRegExp = Object.assign((source: string): LinearPattern => linearPattern(source), {
  code: 'linearPattern',
});
