/** Digits and the hyphen, 3 by 5 points, row by row from the top. */
const glyphs: Readonly<Record<string, readonly string[]>> = {
  '0': ['###', '# #', '# #', '# #', '###'],
  '1': [' # ', '## ', ' # ', ' # ', '###'],
  '2': ['###', '  #', '###', '#  ', '###'],
  '3': ['###', '  #', '###', '  #', '###'],
  '4': ['# #', '# #', '###', '  #', '  #'],
  '5': ['###', '#  ', '###', '  #', '###'],
  '6': ['###', '#  ', '###', '# #', '###'],
  '7': ['###', '  #', '  #', ' # ', ' # '],
  '8': ['###', '# #', '###', '# #', '###'],
  '9': ['###', '# #', '###', '  #', '###'],
  '-': ['   ', '   ', '###', '   ', '   '],
};
const height = 5;

/** Digits and hyphens, five lines high, to be read from across a room. Each point is two columns wide. */
export function largeDigits(text: string): readonly string[] {
  return Array.from({ length: height }, (_, row) =>
    [...text]
      .map((character) => glyphs[character]?.[row] ?? '')
      .join(' ')
      .replaceAll('#', '██')
      .replaceAll(' ', '  ')
      .trimEnd(),
  );
}
