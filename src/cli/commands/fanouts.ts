import type { Command } from 'commander';
import type { Fanout } from '../../contract/fanout.js';
import { confirmed, requireSomebody } from '../confirmed.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { memberText, summaryText } from '../fanout-text.js';
import { examples } from '../help-text.js';
import { print, printJson } from '../output.js';
import { printable } from '../printable.js';
import { tableText } from '../table.js';
import { relativeTime } from '../time-text.js';

interface CancelFlags extends ConnectionFlags {
  readonly reason?: string;
  readonly yes?: boolean;
}

/** `palyra fanouts list | show | cancel` */
export function registerFanoutsCommand(program: Command, context: CliContext): void {
  const fanouts = program
    .command('fanouts')
    .summary('look at what was run on many machines, and cancel it')
    .description('What was run on many nodes at once, with `palyra run`.')
    .addHelpText('after', examples(['palyra fanouts list', 'the latest first']));
  const list = fanouts
    .command('list')
    .description('List the fan-outs, the latest first.')
    .addHelpText('after', examples(['palyra fanouts list --json', '{"fanouts": […], "next": …}']));
  withConnection(list).action(async (flags: ConnectionFlags) => {
    const page = await (await connect(flags, context)).fanouts.list();
    if (flags.json) printJson(context, page);
    else if (page.fanouts.length === 0) print(context, 'There are none. Begin with: palyra run');
    else print(context, listText(page.fanouts, context));
  });
  const show = fanouts
    .command('show')
    .description('Show a fan-out with what became of each of its targets.')
    .argument('<id>', 'the id of the fan-out')
    .addHelpText('after', examples(['palyra fanouts show fo_01…', 'each target, and a summary']));
  withConnection(show).action(async (id: string, flags: ConnectionFlags) => {
    const fanout = await (await connect(flags, context)).fanouts.get(id);
    if (flags.json) printJson(context, fanout);
    else print(context, ...fanoutText(fanout, context));
  });
  const cancel = fanouts
    .command('cancel')
    .description('Start no more targets of a fan-out, and cancel those under way.')
    .argument('<id>', 'the id of the fan-out')
    .option('--reason <text>', 'why; recorded')
    .option('--yes', 'do it without asking')
    .addHelpText('after', examples(['palyra fanouts cancel fo_01…', 'asks, then cancels']));
  withConnection(cancel).action(async (id: string, flags: CancelFlags) => {
    requireSomebody(context, 'cancel this fan-out', flags);
    if (!(await confirmed(context, `Cancel fan-out ${printable(id)}?`, flags))) return;
    const fanout = await (await connect(flags, context)).fanouts.cancel(id, flags.reason);
    if (flags.json) printJson(context, fanout);
    else print(context, `It is ${fanout.state}. See what becomes of it: palyra fanouts show ${fanout.id}`);
  });
}

function listText(fanouts: readonly Fanout[], context: CliContext): string {
  const now = context.clock.now();
  return tableText<Fanout>(
    context,
    [
      { head: 'ID', text: ({ id }) => id },
      { head: 'STATE', text: ({ state }) => state },
      { head: 'CAPABILITY', text: ({ capability }) => capability, elastic: true },
      { head: 'NODES', text: ({ selector }) => selector || '(all)', elastic: true },
      {
        head: 'SUCCEEDED',
        text: ({ counts }) => {
          const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
          return `${counts.succeeded ?? 0} of ${all}`;
        },
      },
      {
        head: 'ASKED',
        text: ({ caller, createdAt }) => `${caller}, ${relativeTime(createdAt, now)}`,
        elastic: true,
      },
    ],
    fanouts,
  );
}

function fanoutText(fanout: Fanout, context: CliContext): readonly string[] {
  const { id, state, capability, selector, caller, createdAt, batch, stopAfterFailures, steps } = fanout;
  const rows = [
    ['Capability', printable(capability)],
    ['Nodes', selector === '' ? '(all)' : printable(selector)],
    ['Asked by', `${printable(caller)}, ${relativeTime(createdAt, context.clock.now())}`],
    ['At a time', String(batch)],
    ...(stopAfterFailures === undefined ? [] : [['Stops after', `${stopAfterFailures} failures`]]),
  ];
  return [
    `Fan-out ${printable(id)}, ${state}`,
    '',
    ...rows.map(([name = '', text]) => `  ${name.padEnd(12)} ${text}`),
    '',
    ...steps.map(({ at, to, by, note }) => {
      const why = note === undefined ? '' : `: ${printable(note)}`;
      return `  ${at}  ${to} by ${printable(by)}${why}`;
    }),
    '',
    ...fanout.members.map((member) => memberText(context, member)),
    '',
    ...summaryText(context, fanout),
  ];
}
