import { stripVTControlCharacters } from 'node:util';

/** What could move the cursor, recolour the screen, or make text read in another order than it stands. */
const unprintable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]+/gu;

/** A peer's text as one line that can be printed: without escape sequences and control characters. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(unprintable, ' ').trim();
}

/** A text of several lines, each made {@link printable}; its indentation stays. */
export function printableLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => (/^ */.exec(line)?.[0] ?? '') + printable(line))
    .filter((line) => line.trim() !== '');
}

/** JSON that can be printed and still reads as the same value: what a terminal might obey is escaped. */
export function printableJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent) ?? 'null';
  return text.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
