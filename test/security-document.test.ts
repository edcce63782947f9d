import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/*
 * docs/security.md cites the test behind each claim: a link to its file, then the words of its title in curly quotes. A
 * title may be cited in part.
 */

const root = new URL('..', import.meta.url);
const lines = readFileSync(new URL('docs/security.md', root), 'utf8').split('\n');

interface Citation {
  readonly line: number;
  readonly file: string;
  readonly title: string;
}

/** Titles belong to the link before them; in running text a title may go on in the next line. */
function citations(): readonly Citation[] {
  const found: Citation[] = [];
  let file = '';
  for (const [index, paragraph] of paragraphs().entries()) {
    file = '';
    for (const [, link, title] of paragraph.matchAll(/\]\(\.\.\/([^)]+\.test\.ts)\)|“([^”]+)”/g)) {
      if (link !== undefined) file = link;
      else found.push({ line: index, file, title: (title ?? '').replace(/\s+/g, ' ') });
    }
  }
  return found;
}

/** A row of a table is a paragraph of its own. */
function paragraphs(): readonly string[] {
  const all: string[] = [];
  let isOpen = false;
  for (const line of lines) {
    if (isOpen && line !== '' && !line.startsWith('|')) all[all.length - 1] += ` ${line}`;
    else all.push(line);
    isOpen = line !== '' && !line.startsWith('|');
  }
  return all;
}

/** The source of a test file, with its titles as they are read. */
function source(file: string): string {
  return readFileSync(new URL(file, root), 'utf8').replace(/\\'/g, "'").replace(/\s+/g, ' ');
}

describe('docs/security.md', () => {
  const cited = citations();

  it('cites tests for its claims', () => {
    expect(cited.length).toBeGreaterThan(100);
    expect(cited.filter(({ file }) => file === '')).toEqual([]);
  });

  it.each([...new Set(cited.map(({ file }) => file))])('cites titles that %s has', (file) => {
    expect(existsSync(fileURLToPath(new URL(file, root)))).toBe(true);
    const text = source(file);
    const missing = cited
      .filter((one) => one.file === file && !text.includes(one.title))
      .map(({ title }) => title);
    expect(missing).toEqual([]);
  });

  it.each([
    ...Array.from({ length: 17 }, (_, index) => `P${index + 1}`),
    ...Array.from({ length: 7 }, (_, index) => `S${index + 1}`),
  ])('has a row for rule %s, with a test', (rule) => {
    const rows = lines.filter((line) => line.startsWith(`| ${rule} |`));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatch(/\.test\.ts\) “/);
  });

  it('names files of the source that are there', () => {
    const rows = lines.filter((line) => /^\| [PS]\d+ \|/.test(line));
    const paths = rows.flatMap((row) =>
      [...(row.split('|')[3] ?? '').matchAll(/`([^`]+)`/g)].flatMap(([, path = '']) => expanded(path)),
    );
    expect(paths.length).toBeGreaterThan(30);
    expect(paths.filter((path) => !existsSync(fileURLToPath(new URL(`src/${path}`, root))))).toEqual([]);
  });
});

/** `a/{b,c}.ts` as the shell reads it. */
function expanded(path: string): readonly string[] {
  const [, before = '', names = '', after = ''] = /^(.*)\{([^}]+)\}(.*)$/.exec(path) ?? [];
  return names === '' ? [path] : names.split(',').map((name) => `${before}${name}${after}`);
}
