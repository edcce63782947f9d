import type { Command } from 'commander';
import { cliError } from '../cli-errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';

interface LogFlags {
  readonly stateDir?: string;
  readonly follow?: boolean;
  readonly since?: string;
  readonly lines: string;
  readonly json?: boolean;
}

const mostLines = 100_000;

/** `palyra node logs`. */
export function registerNodeLogs(node: Command, context: CliContext): void {
  node
    .command('logs')
    .description('show what the service has logged: the latest lines, and with --follow what comes')
    .option('-f, --follow', 'go on with each line that is written, until Ctrl-C')
    .option('--since <time>', 'none from before: how long ago (2h), or a time (2026-01-31T08:00:00Z)')
    .option('-n, --lines <count>', 'at most so many, the latest', '100')
    .option('--state-dir <dir>', 'directory of the node host (PALYRA_NODE_STATE_DIR)')
    .option('--json', 'print the lines as they are in the file: one JSON object each')
    .addHelpText(
      'after',
      examples(
        ['palyra node logs -f', 'watch it'],
        ['palyra node logs --since 1h --json', 'the last hour, for programs'],
      ),
    )
    .action((flags: LogFlags) => showLog(flags, context));
}

async function showLog(flags: LogFlags, context: CliContext): Promise<void> {
  const { stateDirectoryOf } = await import('../service/host-service.js');
  const { followLog, readLog } = await import('../../adapters/telemetry/log-reader.js');
  const { logLinePrinter } = await import('../service/log-text.js');
  const { logFolder } = await import('../service/output.js');
  const { timeInput } = await import('../time-input.js');
  const { note } = await import('../output.js');
  const folder = logFolder(stateDirectoryOf(flags, context));
  const { clock } = context;
  const since =
    flags.since === undefined ? {} : { since: Date.parse(timeInput(flags.since, '--since', clock.now())) };
  const { lines, place } = readLog(folder, { last: lineCount(flags.lines), ...since });
  const show = logLinePrinter(context, flags.json === true);
  for (const line of lines) show(line);
  if (place === undefined && !flags.follow)
    note(context, `There is no log in ${folder}: it is written by a host that runs as a service.`);
  if (!flags.follow) return;
  const over = new AbortController();
  const end = context.onInterrupt(() => over.abort());
  try {
    for await (const line of followLog(folder, place, { clock, signal: over.signal })) show(line);
  } finally {
    end();
  }
}

function lineCount(text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (count <= mostLines) return count;
  throw cliError('usage', `--lines: '${text}' is no number of lines`, {
    hint: `Write a whole number up to ${mostLines}.`,
    fields: [{ field: '--lines', message: 'is no number of lines' }],
  });
}
