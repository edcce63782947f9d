// Writes docs/reference/kernel.md from the comments of the kernel: one line for each export, and its error codes.
//
//   node scripts/write-kernel-reference.mjs            write
//   node scripts/write-kernel-reference.mjs --check    say whether it is stale, and end with exit code 1
//
// An export without a comment is an error in both.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bringUpToDate } from './generated-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const kernel = join(root, 'src', 'kernel');
const source = (name) => readFile(join(kernel, name), 'utf8');

const declaration =
  /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?^export (?:declare )?(?:async )?(function|const|class|interface|type) (\w+)/gm;

/** The declarations that a file exports, in their order: name, keyword, and the text of the comment, if there is one. */
function declarationsIn(text, file) {
  return [...text.matchAll(declaration)].map(([, comment, keyword, name]) => ({
    file,
    name,
    keyword,
    comment: comment?.replace(/^\s*\* ?/gm, '').trim(),
  }));
}

/** All exports of the kernel, in the order of its index. */
async function kernelExports() {
  const statements = (await source('index.ts')).matchAll(
    /^export (?:type )?(?:\*|\{([^}]*)\}) from '\.\/([\w-]+\.)js';$/gm,
  );
  const groups = await Promise.all(
    [...statements].map(async ([, names, stem]) => {
      const file = `${stem}ts`;
      const declared = declarationsIn(await source(file), file);
      if (names === undefined) return declared;
      return names
        .split(',')
        .map((name) => name.trim().replace(/^type /, ''))
        .filter((name) => name !== '')
        .map((name) => declared.find((one) => one.name === name) ?? { file, name });
    }),
  );
  return groups.flat();
}

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The first sentence of a comment. */
function summaryOf(comment) {
  const text = comment
    .split(/\n\s*\n|^@/m, 1)[0]
    .replace(/\s+/g, ' ')
    .replace(/\{@link ([\w.]+)\}/g, '`$1`');
  return cell(text.replace(/(?<=\.) [A-Z`].*$/, ''));
}

function rowsOf(found) {
  const rows = found.map(({ name, file, comment }) => [
    `[\`${name}\`](../../src/kernel/${file})`,
    summaryOf(comment),
  ]);
  return rows.sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
}

async function errorRows() {
  const codes = (await source('kernel-errors.ts')).matchAll(
    /^\s*(\w+): \{ category: '(\w+)', retryable: (true|false) \},$/gm,
  );
  return [...codes].map(([, code, category, retryable]) => [
    `\`kernel.${code}\``,
    category,
    retryable === 'true' ? 'yes' : 'no',
  ]);
}

const found = await kernelExports();
const mute = found.filter(({ comment }) => !comment);
for (const { file, name } of mute) console.error(`src/kernel/${file}: ${name} is exported without a comment`);
if (mute.length > 0) process.exit(1);

const isType = ({ keyword }) => keyword === 'interface' || keyword === 'type';
const text = `${[
  '<!-- Written by `npm run docs` from src/kernel. Change the comments there. -->',
  '# What the kernel exports',
  'One line for each; the whole of it stands above the declaration. The guide is [docs/kernel.md](../kernel.md).',
  '## Functions, classes and values',
  table(['name', 'what it is'], rowsOf(found.filter((one) => !isType(one)))),
  '## Types',
  table(['name', 'what it is'], rowsOf(found.filter(isType))),
  '## Error codes',
  'All are `AppError`s. "Again" says whether the same call may succeed later.',
  table(['code', 'category', 'again'], await errorRows()),
].join('\n\n')}\n`;
await bringUpToDate(join(root, 'docs', 'reference'), new Map([['kernel.md', text]]), {
  check: process.argv.includes('--check'),
  command: 'npm run docs',
});
