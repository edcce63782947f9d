import { userInfo } from 'node:os';
import { basename, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { ScaffoldNames } from '../../plugins/authoring/scaffold-files.js';
import { cliError } from '../cli-errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { colours, print, printJson } from '../output.js';
import { printable } from '../printable.js';

interface NewFlags {
  readonly name?: string;
  readonly capability?: string;
  readonly publisher?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `palyra plugin new [DIR]` */
export function registerPluginNew(plugin: Command, context: CliContext): void {
  plugin
    .command('new')
    .description(
      'Make the folder of a new plugin: typed source, a test, a README. It builds and its test passes. Asks for what is not given.',
    )
    .argument('[dir]', 'the folder to make (default: the name of the plugin)')
    .option('--name <name>', 'lowercase words with hyphens (default: the name of the folder)')
    .option('--capability <name>', 'what callers ask for, such as disk.report (default: the name)')
    .option('--publisher <name>', 'who makes it; operators see it (default: your user name)')
    .option('--yes', 'ask nothing; take the defaults')
    .option('--json', 'ask nothing; print one JSON document')
    .addHelpText(
      'after',
      examples(
        ['palyra plugin new', 'asks for everything'],
        ['palyra plugin new greet --yes', 'the folder greet with the capability greet'],
        ["palyra plugin new disks --capability disk.report --publisher 'Ada' --json", 'for a script'],
      ),
    )
    .action((folder: string | undefined, flags: NewFlags) => make(folder, flags, context));
}

async function make(folder: string | undefined, flags: NewFlags, context: CliContext): Promise<void> {
  const { scaffoldPlugin } = await import('../../plugins/authoring/scaffold.js');
  const asks = context.interactive && !flags.yes && !flags.json;
  const names = asks ? await askNames(folder, flags, context) : givenNames(folder, flags);
  const made = await scaffoldPlugin(folder ?? names.name, names);
  if (flags.json) {
    printJson(context, { ...names, ...made });
    return;
  }
  const { green, bold } = colours(context.stdout, context.env);
  const path = relative(resolve('.'), made.folder) || '.';
  print(
    context,
    `${green('✓')} Made ${bold(printable(names.name))} in ${printable(path)}: ${made.files.join(', ')}`,
    '',
    'Now:',
    ...(path === '.' ? [] : [`  cd ${printable(path)}`]),
    '  npm install',
    '  npx palyra plugin dev    # run it on a node of this machine, and again with each change',
  );
}

function givenNames(folder: string | undefined, flags: NewFlags): ScaffoldNames {
  const name = flags.name ?? (folder === undefined ? undefined : basename(resolve(folder)));
  if (name === undefined) {
    throw cliError('usage', 'The plugin has no name', { hint: 'Name a folder, or give --name.' });
  }
  return withDefaults({ ...flags, name });
}

function withDefaults({ name, capability, publisher }: NewFlags & { readonly name: string }): ScaffoldNames {
  return {
    name,
    capability: capability ?? name.replaceAll('-', '_'),
    publisher: publisher ?? userInfo().username,
  };
}

async function askNames(
  folder: string | undefined,
  flags: NewFlags,
  context: CliContext,
): Promise<ScaffoldNames> {
  const name =
    flags.name ??
    (await ask(
      'name',
      'What is the plugin called?',
      folder === undefined ? '' : basename(resolve(folder)),
      context,
    ));
  const defaults = withDefaults({ ...flags, name });
  return {
    name,
    capability:
      flags.capability ??
      (await ask(
        'capability',
        'By what name do callers ask for what it does?',
        defaults.capability,
        context,
      )),
    publisher:
      flags.publisher ??
      (await ask('publisher', 'Who makes it? Operators see this.', defaults.publisher, context)),
  };
}

/** Nothing typed is the default. */
async function ask(
  what: keyof ScaffoldNames,
  question: string,
  fallback: string,
  context: CliContext,
): Promise<string> {
  const { nameProblem } = await import('../../plugins/authoring/scaffold.js');
  const answer = await context.ask(question, {
    placeholder: fallback === '' ? 'disk-report' : fallback,
    problem: (text) => {
      const problem = nameProblem(what, text || fallback);
      return problem === undefined ? undefined : `It ${problem}`;
    },
  });
  if (answer === undefined) throw cliError('interrupted', 'Nothing was made');
  return answer || fallback;
}
