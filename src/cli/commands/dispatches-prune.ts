import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ControlPlaneClient, PruneJob, PruneOrder } from '../../client/index.js';
import { type TerminalDispatchState, terminalDispatchStates } from '../../contract/dispatch-states.js';
import { parseDuration } from '../../kernel/duration.js';
import { cliError } from '../cli-errors.js';
import { confirmed, requireSomebody } from '../confirmed.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import { type CliContext, pause } from '../context.js';
import { exitCodeOfCategory } from '../exit-codes.js';
import { examples } from '../help-text.js';
import { LiveLine } from '../live-line.js';
import { note, print, printJson } from '../output.js';
import { printable } from '../printable.js';

interface PruneFlags extends ConnectionFlags {
  readonly olderThan?: number;
  readonly keep?: number;
  readonly state?: readonly TerminalDispatchState[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const pollMs = 500;

/** `palyra dispatches prune` */
export function registerDispatchesPruneCommand(dispatches: Command, context: CliContext): void {
  const prune = dispatches
    .command('prune')
    .description(
      'Delete dispatches that have ended, with their outputs and idempotency keys, now and for good. Without an option: what the configuration says, which is also done every hour. palyrad does it in the background; whoever asks for the same meanwhile joins.',
    )
    .option('--older-than <duration>', 'only what ended longer ago: 12h, 7d', (text) =>
      parseDuration(text, '--older-than'),
    )
    .option('--keep <number>', 'keep so many, those created last', wholeNumber)
    .addOption(new Option('--state <states...>', 'only what ended like this').choices(terminalDispatchStates))
    .option('--dry-run', 'only say how many')
    .option('--yes', 'delete without asking')
    .addHelpText(
      'after',
      examples(
        ['palyra dispatches prune --older-than 7d --dry-run', 'how many ended more than a week ago'],
        ['palyra dispatches prune --older-than 7d --state succeeded', 'says how many, and asks'],
        ['palyra dispatches prune --keep 10000 --yes --json', '{"state": "done", "pruned": …}'],
      ),
    );
  withConnection(prune).action((flags: PruneFlags) => pruneDispatches(flags, context));
}

async function pruneDispatches(flags: PruneFlags, context: CliContext): Promise<void> {
  const { olderThan, keep, state, dryRun, yes, json } = flags;
  const order: PruneOrder = {
    ...(olderThan === undefined ? {} : { olderThanMs: olderThan }),
    ...(keep === undefined ? {} : { keep }),
    ...(state === undefined ? {} : { states: [...state] }),
  };
  const client = await connect(flags, context);
  if (dryRun) {
    report(await carriedOut(client, { ...order, dryRun }, context, json), flags, context);
    return;
  }
  requireSomebody(context, 'delete dispatches', flags);
  if (!yes) {
    const { matched, spared } = await carriedOut(client, { ...order, dryRun: true }, context, json);
    const count = matched - spared;
    if (count === 0) {
      print(context, 'Nothing that has ended is like that.');
      return;
    }
    const what = count === 1 ? '1 dispatch that has ended' : `${count} dispatches that have ended`;
    if (!(await confirmed(context, `Delete ${what}, for good?`, flags))) return;
  }
  report(await carriedOut(client, order, context, json), flags, context);
}

/** Orders it and looks on until it has ended. Ctrl-C leaves; the daemon goes on. */
async function carriedOut(
  client: ControlPlaneClient,
  order: PruneOrder,
  context: CliContext,
  json = false,
): Promise<PruneJob> {
  const line = new LiveLine(context.stdout);
  let left = false;
  const stopListening = context.onInterrupt(() => {
    left = true;
  });
  try {
    let job = await client.pruneDispatches(order);
    const { number } = job;
    while (job.state === 'waiting' || job.state === 'running') {
      if (left) throw interrupted();
      if (!json) line.show(progressText(job));
      await pause(context, pollMs);
      const now = (await client.pruning()).job;
      // Another order can have come only after the end of this one.
      if (now?.number !== number) throw lostSight();
      job = now;
    }
    return job;
  } finally {
    line.clear();
    stopListening();
  }
}

function progressText({ state, dryRun, looked, pruned, matched }: PruneJob): string {
  if (state === 'waiting') return 'Waits for what is deleted at this moment';
  return dryRun ? `Looked at ${looked}, ${matched} are meant` : `Looked at ${looked}, deleted ${pruned}`;
}

function report(job: PruneJob, { json }: PruneFlags, context: CliContext): void {
  const { state, dryRun, looked, matched, pruned, spared, error } = job;
  if (error) context.exitCode = exitCodeOfCategory(error.category);
  if (json) {
    printJson(context, job);
    return;
  }
  const kept =
    spared === 0
      ? ''
      : `; ${spared} are kept for now: their node may still tell how they ended, or their fan-out goes on`;
  print(
    context,
    dryRun
      ? `${matched - spared} of ${looked} dispatches that have ended would be deleted${kept}.`
      : `Deleted ${pruned} of ${looked} dispatches that have ended${kept}.`,
  );
  if (state === 'failed')
    note(context, `It did not come to its end: ${printable(error?.message ?? 'it failed')}`);
}

function interrupted() {
  return cliError('interrupted', 'Stopped looking on; palyrad goes on with it', {
    hint: 'Ask for the same again to look on.',
  });
}

function lostSight() {
  return cliError(
    'interrupted',
    'How it ended is not known: palyrad was started again, or something else was ordered',
    {
      hint: 'Ask for the same again: what is deleted already is not found any more.',
    },
  );
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number from 0.');
}
