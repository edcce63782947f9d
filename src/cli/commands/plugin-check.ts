import type { Command } from 'commander';
import type { Finding } from '../../plugins/authoring/finding.js';
import type { CliContext } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { examples } from '../help-text.js';
import { type Colours, colours, print, printJson } from '../output.js';
import { printable } from '../printable.js';

interface CheckFlags {
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** `palyra plugin check [DIR]` */
export function registerPluginCheck(plugin: Command, context: CliContext): void {
  plugin
    .command('check')
    .description(
      'Say everything that is wrong with a plugin, and what could be better. What the code defines is checked as palyrad would and held against plugin.json; a folder without source is judged by its plugin.json.',
    )
    .argument('[dir]', 'the folder of the plugin', '.')
    .option('--strict', 'fail for warnings too')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        ['palyra plugin check', 'the plugin in this folder; exit code 2 when something is wrong'],
        ['palyra plugin check plugins/greet --json', '{"ok": true, "findings": []}'],
      ),
    )
    .action((folder: string, flags: CheckFlags) => check(folder, flags, context));
}

async function check(folder: string, { strict, json }: CheckFlags, context: CliContext): Promise<void> {
  const { checkPlugin } = await import('../../plugins/authoring/check.js');
  const findings = await checkPlugin(folder);
  const errors = findings.filter(({ level }) => level === 'error').length;
  const ok = strict ? findings.length === 0 : errors === 0;
  if (!ok) context.exitCode = exitCodes.usage;
  if (json) {
    printJson(context, { ok, findings });
    return;
  }
  const style = colours(context.stdout, context.env);
  const warnings = findings.length - errors;
  print(context, ...findings.flatMap((finding) => findingText(finding, style)));
  print(
    context,
    findings.length === 0
      ? `${style.green('✓')} Nothing is wrong.`
      : `${count(errors, 'error')}, ${count(warnings, 'warning')}.`,
  );
}

function findingText(
  { level, rule, file, pointer, message, hint }: Finding,
  style: Colours,
): readonly string[] {
  const mark = level === 'error' ? style.red('error:') : style.yellow('warning:');
  const place = [file, pointer]
    .filter((part) => part !== '')
    .map(printable)
    .join(' ');
  return [
    `${mark} ${style.bold(place)} ${printable(message)} ${style.dim(`(${rule})`)}`,
    ...(hint === undefined ? [] : [`  ${style.dim('hint:')} ${printable(hint)}`]),
  ];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
