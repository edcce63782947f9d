// Writes docs/reference/plugin-manifest.md from the schema of plugin.json, whose descriptions are the text.
//
//   node scripts/write-manifest-reference.mjs            write
//   node scripts/write-manifest-reference.mjs --check    say whether it is stale, and end with exit code 1
//
// A field without a description is an error in both.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manifestSchemaText } from '../dist/src/plugins/manifest-writer.js';
import { bringUpToDate } from './generated-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const schema = JSON.parse(manifestSchemaText());

const code = (value) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function typeOf(field) {
  if (field.enum) return field.enum.map(code).join(' or ');
  if (field.type === 'array')
    return `list of ${field.items.enum ? typeOf(field.items) : plural(field.items)}`;
  return [field.type ?? 'any JSON'].flat().join(' or ');
}

const plural = ({ type }) => `${type}s`;

const limitTexts = {
  minLength: (least) => (least === 1 ? 'not empty' : `at least ${least} characters`),
  maxLength: (most) => `at most ${most.toLocaleString('en')} characters`,
  minimum: (least) => `${least} or more`,
  maximum: (most) => `${most.toLocaleString('en')} or less`,
  minItems: (least) => (least === 1 ? 'not empty' : `at least ${least}`),
  maxItems: (most) => `at most ${most.toLocaleString('en')}`,
  uniqueItems: () => 'each once',
  pattern: (pattern) => `matches ${code(pattern)}`,
};

function limitsOf(field) {
  const own = Object.entries(limitTexts).flatMap(([keyword, text]) =>
    keyword in field ? [text(field[keyword])] : [],
  );
  const ofItems = field.items?.type === 'string' ? limitsOf(field.items).map((text) => `each ${text}`) : [];
  return [...own, ...ofItems];
}

function rowOf(name, field, at, isRequired) {
  if (!field.description) throw new Error(`${at}/${name} has no description`);
  const when = isRequired ? '**required**' : 'default' in field ? code(field.default) : 'left out';
  const example = field.examples?.length ? ` For example ${field.examples.map(code).join(', ')}.` : '';
  const limits = limitsOf(field).join('; ');
  return [code(name), typeOf(field), when, field.description + example, limits].map(cell);
}

function table({ properties, required = [] }, at) {
  const head = ['field', 'type', 'default', 'meaning', 'limits'];
  const rows = Object.entries(properties).map(([name, field]) =>
    rowOf(name, field, at, required.includes(name)),
  );
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** One section for each object with fields of its own, the outermost first. */
function* sections(object, at) {
  yield [
    `## ${at === '' ? 'The file' : code(at.slice(1))}`,
    ...(at === '' ? [] : [object.description]),
    table(object, at),
  ];
  for (const [name, field] of Object.entries(object.properties)) {
    const inner = field.type === 'array' ? field.items : field;
    const place = `${at}/${name}${field.type === 'array' ? '[]' : ''}`;
    if (inner.properties) yield* sections(inner, place);
  }
}

const text = `${[
  '<!-- Written by `npm run docs` from src/plugins/manifest-schema.ts. Change the descriptions there. -->',
  '# plugin.json',
  'What a plugin promises. **Nobody writes it by hand**: `palyra plugin pack` and `palyra plugin dev` write it from what the code gives to `definePlugin`. ' +
    'Its JSON Schema is [schemas/plugin.schema.json](../../schemas/plugin.schema.json), also as `palyra-node-runtime/plugin.schema.json`; the guide is [docs/plugins.md](../plugins.md).',
  'No object takes a field that is not named here. JSON pointers in error messages are as the headings say.',
  ...[...sections(schema, '')].flat(),
].join('\n\n')}\n`;
await bringUpToDate(join(root, 'docs', 'reference'), new Map([['plugin-manifest.md', text]]), {
  check: process.argv.includes('--check'),
  command: 'npm run docs',
});
