/** One thing that a tutorial has its reader do. */
export type TutorialStep =
  /** Types a line, and sees lines. */
  | { readonly kind: 'command'; readonly line: string; readonly shown: readonly string[] }
  /** Looks at a file, or writes it. */
  | { readonly kind: 'file'; readonly file: string; readonly text: string }
  /** Changes a piece of a file. */
  | { readonly kind: 'edit'; readonly file: string; readonly before: string; readonly after: string };

const block = /^```(\w+)(?: title="([^"]+)")?( replace)?\n([\s\S]*?)^```$/gm;

/** The steps of the part of a page between the comments `tutorial` and `end of tutorial`. */
export function tutorialSteps(page: string): readonly TutorialStep[] {
  const part = /<!-- tutorial\b[\s\S]*?-->([\s\S]*?)<!-- end of tutorial -->/.exec(page)?.[1];
  if (part === undefined) throw new Error('The page has no tutorial');
  return [...part.matchAll(block)].flatMap(
    ([, language, file, replace, text = '']): readonly TutorialStep[] => {
      if (language === 'console') return commands(text);
      if (file === undefined) return [];
      if (replace === undefined) return [{ kind: 'file', file, text }];
      const [before = '', after = ''] = text.split('---\n').map((piece) => piece.trim());
      return [{ kind: 'edit', file, before, after }];
    },
  );
}

function commands(text: string): readonly TutorialStep[] {
  const found: { kind: 'command'; line: string; shown: string[] }[] = [];
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('$ ')) found.push({ kind: 'command', line: line.slice(2), shown: [] });
    else found.at(-1)?.shown.push(line);
  }
  return found;
}

/**
 * The first line of what a page shows that is not in what was printed, in this order; undefined when all are. `…` alone stands for any lines,
 * at the end of a line for the rest of it; ids are any ids.
 */
export function missingLine(shown: readonly string[], printed: string): string | undefined {
  const lines = printed.split('\n').map(comparable);
  let at = 0;
  for (const line of shown) {
    if (line === '…') continue;
    const wanted = comparable(line);
    const found = lines.findIndex((one, index) => index >= at && fits(one, wanted));
    if (found < 0) return line;
    at = found + 1;
  }
  return undefined;
}

function fits(line: string, wanted: string): boolean {
  return wanted.endsWith('…') ? line.startsWith(wanted.slice(0, -1).trimEnd()) : line === wanted;
}

function comparable(line: string): string {
  return line.replace(/\b(pr|dp)_[0-9a-z]{26}\b/g, '$1_ID').trimEnd();
}
