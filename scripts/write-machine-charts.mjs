// Writes a page for each state machine into docs/reference/machines/, and their index: a chart and what each state takes,
// read from the built machines. Run it after a build.
//
//   node scripts/write-machine-charts.mjs [--into FOLDER]    write; FOLDER is docs/reference by default
//   node scripts/write-machine-charts.mjs --check            name what is stale and end with exit code 1
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machines } from '../dist/src/actors/machines.js';
import { chartOf, mermaidOf } from '../dist/src/kernel/index.js';
import { bringUpToDate } from './generated-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    into: { type: 'string', default: join(root, 'docs', 'reference') },
  },
});

/** The file that defines a machine, and the comment above it. */
async function sourceOf(id) {
  const folder = join(root, 'src', 'actors');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8');
    const start = text.search(new RegExp(`createMachine\\(\\{\\s*id: '${id}',`));
    if (start === -1) continue;
    const comments = [
      ...text.slice(0, start).matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export const \w+Machine\b/g),
    ];
    const comment = comments.at(-1)?.[1] ?? '';
    const about = comment
      .replace(/^\s*\* ?/gm, '')
      .replace(/\{@link (\w+)\}/g, '`$1`')
      .trim();
    return { file: relative(root, join(folder, name)), about };
  }
  throw new Error(`No file of src/actors defines the machine '${id}'`);
}

const prose = (text) => text.replace(/[|<]/g, (character) => (character === '|' ? '\\|' : '&lt;'));
const code = (text) => `\`${text.replaceAll('`', "'").replaceAll('|', '\\|')}\``;
const list = (names) => names.map(code).join(', ');
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The path of a state within its machine: `playing.paused`. */
const pathOf = (id, machineId) => id.slice(machineId.length + 1);
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
const everyState = (state) => state.states.flatMap((inner) => [inner, ...everyState(inner)]);

function transitionRow(transition, machineId) {
  const { event, guard, targets, actions, description, refuses } = transition;
  const links = targets.map((id) => pathOf(id, machineId)).map((path) => `[${path}](#${anchorOf(path)})`);
  return [
    event === undefined ? 'at once' : code(event),
    guard === undefined || guard === 'else' ? (guard ?? '') : code(guard),
    links.length === 0 ? 'stays' : links.join(', '),
    prose(description ?? (refuses ? 'It is refused' : '')),
    list(actions),
  ];
}

function stateSection(state, heading, machineId) {
  const { kind, description, entry, exit, invokes, transitions } = state;
  const facts = [
    ...(entry.length === 0 ? [] : [`On entry: ${list(entry)}.`]),
    ...(exit.length === 0 ? [] : [`On exit: ${list(exit)}.`]),
    ...(invokes.length === 0 ? [] : [`As long as it lasts: ${list(invokes)}.`]),
    ...(kind === 'final' ? ['The machine has ended.'] : []),
  ];
  return [
    `### ${heading}`,
    ...(description === undefined ? [] : [`${prose(description)}.`]),
    ...(facts.length === 0 ? [] : [facts.join(' ')]),
    ...(transitions.length === 0
      ? []
      : [
          table(
            ['event', 'guard', 'goes to', 'what it means', 'actions'],
            transitions.map((transition) => transitionRow(transition, machineId)),
          ),
        ]),
  ].join('\n\n');
}

function pageOf(name, machine, { file, about }) {
  const chart = chartOf(machine);
  const states = everyState(chart.root).map((state) =>
    stateSection(state, pathOf(state.id, chart.id), chart.id),
  );
  const general =
    chart.root.transitions.length === 0 ? [] : [stateSection(chart.root, 'Any state', chart.id)];
  const senders = [...chart.senders].map(([event, sender]) => [code(event), prose(sender)]);
  return `${[
    `<!-- Written by \`npm run docs\` from ${file}. Change it there. -->`,
    `# The ${name} machine`,
    prose(about),
    `Defined in [${file}](../../../${file}). [How to read it](../README.md#how-to-read-a-chart).`,
    `\`\`\`mermaid\n${mermaidOf(chart)}\`\`\``,
    '## Events',
    table(['event', 'sent by'], senders),
    '## States',
    ...general,
    ...states,
  ].join('\n\n')}\n`;
}

function indexOf(pages) {
  const rows = pages.map(({ name, about }) => [
    `[${name}](machines/${name}.md)`,
    prose(about.replace(/\s+/g, ' ').replace(/(?<=\.) .*$/, '')),
  ]);
  return `${[
    '<!-- Written by `npm run docs`. Change scripts/write-machine-charts.mjs. -->',
    '# Reference',
    'Everything here is written from the code by `npm run docs`, and `npm test` fails when it is stale.',
    '[kernel.md](kernel.md) lists what `src/kernel` exports; its guide is [docs/kernel.md](../kernel.md).',
    '[plugin-manifest.md](plugin-manifest.md) lists the fields of `plugin.json`; the guide is [docs/plugins.md](../plugins.md). The state machines follow.',
    '## State machines',
    table(['machine', 'what it is'], rows),
    '## How to read a chart',
    [
      '- An arrow says `event [guard]`. One with a guard alone is taken at once; `[else]` when the guards before it have said no.',
      '- A box lists what happens within its state: `entry` and `exit` actions, what is invoked for as long as the state',
      '  lasts, events that are taken and lead nowhere (`event [guard] / actions`), and events that are only answered with a refusal.',
      '- "Any state" stands for all states that do not take the event themselves.',
      '- Below the chart, the branches of one event stand in the order in which they are tried.',
      '- What an actor gets and no branch takes changes nothing.',
    ].join('\n'),
  ].join('\n\n')}\n`;
}

const pages = await Promise.all(
  Object.entries(machines).map(async ([name, machine]) => {
    const source = await sourceOf(machine.id);
    return { name, about: source.about, text: pageOf(name, machine, source) };
  }),
);
const fresh = new Map(pages.map(({ name, text }) => [join('machines', `${name}.md`), text]));
fresh.set('README.md', indexOf(pages));
await bringUpToDate(options.into, fresh, { check: options.check, command: 'npm run docs', only: 'machines' });
