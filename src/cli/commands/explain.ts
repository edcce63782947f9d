import type { Command } from 'commander';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { explanationText } from '../explanation-text.js';
import { examples } from '../help-text.js';
import { print, printJson } from '../output.js';

/** `palyra explain` */
export function registerExplainCommand(program: Command, context: CliContext): void {
  const explain = program
    .command('explain')
    .summary('say why a dispatch, a fan-out, a pairing or a machine is where it is')
    .description('What happened, why it is where it is, who or what can move it, and what happens next.')
    .argument(
      '<subject>',
      'the id of a dispatch, a fan-out or a pairing; or a machine: its name, its id, or the beginning of its id',
    )
    .addHelpText(
      'after',
      examples(
        ['palyra explain dp_01…', 'a dispatch'],
        ['palyra explain fo_01…', 'what was run on many machines'],
        ['palyra explain pr_01…', 'a request to join'],
        ['palyra explain build-7', 'a machine and its session'],
        ['palyra explain build-7 --json', '{"state": …, "history": […], "accepts": […], "next": …}'],
      ),
    );
  withConnection(explain).action(async (subject: string, flags: ConnectionFlags) => {
    const client = await connect(flags, context);
    const explanation = await client.explain(subject);
    if (flags.json) printJson(context, explanation);
    else print(context, ...explanationText(context, explanation));
  });
}
