import type { Command } from 'commander';
import type { RememberedAnswer } from '../../actors/mediation/answers.js';
import type { RecordedDecision } from '../../actors/mediation/decisions.js';
import { cliError } from '../cli-errors.js';
import type { CliContext } from '../context.js';
import { examples } from '../help-text.js';
import { print, printJson } from '../output.js';
import { type Column, tableText } from '../table.js';
import { relativeTime } from '../time-text.js';

interface AnswersFlags {
  readonly stateDir?: string;
  readonly json?: boolean;
}

interface ForgetFlags extends AnswersFlags {
  readonly all?: boolean;
}

interface HistoryFlags extends AnswersFlags {
  readonly limit: string;
}

const shortest = 7;

/** `palyra node answers …`: what the owner of this machine has allowed for a while. */
export function registerNodeAnswers(node: Command, context: CliContext): void {
  const answers = node
    .command('answers')
    .summary('see and take back what you have allowed for a while')
    .description(
      'What the person at this machine has allowed for a while, when a capability asked, and what they decided. It works on the state directory, also while the node host runs.',
    );
  const list = answers
    .command('list')
    .description('what is allowed now without a question, and until when')
    .addHelpText(
      'after',
      examples(
        ['palyra node answers list', 'what, to whom, and until when'],
        ['palyra node answers list --json', '{"answers": [{"id": …, "value": …, "expiresAt": …}]}'],
      ),
    );
  withState(list).action((flags: AnswersFlags) => listAnswers(flags, context));
  const history = answers
    .command('history')
    .description('what was asked here, by whom, and what came of it; the latest first')
    .option('--limit <number>', 'how many, at most 1000', '20')
    .addHelpText(
      'after',
      examples(
        ['palyra node answers history', 'the latest twenty'],
        ['palyra node answers history --limit 1000 --json', '{"decisions": [{"at": …, "decision": …}]}'],
      ),
    );
  withState(history).action((flags: HistoryFlags) => showHistory(flags, context));
  const forget = answers
    .command('forget')
    .description('take answers back: from the next call on the question is asked again')
    .argument('[ids...]', 'ids that `list` shows, or their beginnings')
    .option('--all', 'all of them')
    .addHelpText(
      'after',
      examples(
        ['palyra node answers forget an_3f8a91', 'one of them'],
        ['palyra node answers forget --all', 'everything is asked again'],
      ),
    );
  withState(forget).action((ids: readonly string[], flags: ForgetFlags) =>
    forgetAnswers(ids, flags, context),
  );
}

function withState(command: Command): Command {
  return command
    .option('--state-dir <dir>', 'directory of the node (PALYRA_NODE_STATE_DIR)')
    .option('--json', 'print JSON');
}

async function listAnswers(flags: AnswersFlags, context: CliContext): Promise<void> {
  const { withStoredAnswers } = await import('../../node/stored-answers.js');
  const directory = await directoryOf(flags, context);
  const answers = await withStoredAnswers(directory, (stored) => stored.list());
  if (flags.json) printJson(context, { answers: answers.map(shown) });
  else if (answers.length === 0) print(context, 'Nothing is allowed without a question.');
  else print(context, tableText(context, columns(context), answers));
}

async function showHistory(flags: HistoryFlags, context: CliContext): Promise<void> {
  const limit = Number(flags.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
    throw cliError('usage', `--limit: '${flags.limit}' is not a whole number from 1 to 1000`);
  }
  const { withStoredAnswers } = await import('../../node/stored-answers.js');
  const directory = await directoryOf(flags, context);
  const decisions = await withStoredAnswers(directory, (_answers, journal) => journal.latest(limit));
  if (flags.json) printJson(context, { decisions: decisions.map(shownDecision) });
  else if (decisions.length === 0) print(context, 'Nobody was asked anything here.');
  else print(context, tableText(context, decisionColumns(context), decisions));
}

async function forgetAnswers(ids: readonly string[], flags: ForgetFlags, context: CliContext): Promise<void> {
  if ((flags.all === true) !== (ids.length === 0)) {
    throw cliError('usage', 'Name the answers to take back, or all of them with --all', {
      hint: 'See which there are: palyra node answers list',
    });
  }
  const { withStoredAnswers } = await import('../../node/stored-answers.js');
  const forgotten = await withStoredAnswers(await directoryOf(flags, context), async (stored) => {
    if (flags.all) return stored.forget();
    const all = await stored.list();
    // All are found before the first is taken back.
    const found = [...new Set(ids.map((id) => find(all, id).id))];
    let count = 0;
    for (const id of found) count += await stored.forget(id);
    return count;
  });
  if (flags.json) printJson(context, { forgotten });
  else print(context, forgotten === 1 ? 'Took 1 answer back.' : `Took ${forgotten} answers back.`);
}

function find(answers: readonly RememberedAnswer[], text: string): RememberedAnswer {
  const matches = text.length < shortest ? [] : answers.filter(({ id }) => id.startsWith(text));
  const [match, second] = matches;
  if (match === undefined) {
    throw cliError('not_found', `No remembered answer has an id that begins with '${text}'`, {
      hint: `See which there are: palyra node answers list. Give at least ${shortest} characters.`,
    });
  }
  if (second === undefined) return match;
  throw cliError(
    'ambiguous',
    `'${text}' may be ${matches
      .map(({ id }) => id)
      .slice(0, 5)
      .join(' or ')}`,
    {
      hint: 'Give more of the id.',
    },
  );
}

async function directoryOf({ stateDir }: AnswersFlags, { env }: CliContext): Promise<string> {
  const { defaultStateDirectory } = await import('../../adapters/os/state-directory.js');
  return stateDir ?? defaultStateDirectory('node', env);
}

function shown({ allowedAt, expiresAt, ...answer }: RememberedAnswer): object {
  const time = (at: number): string => new Date(at).toISOString();
  return { ...answer, allowedAt: time(allowedAt), expiresAt: time(expiresAt) };
}

function shownDecision({ at, until, ...decision }: RecordedDecision): object {
  const time = (ms: number): string => new Date(ms).toISOString();
  return { ...decision, at: time(at), ...(until === undefined ? {} : { until: time(until) }) };
}

function decisionColumns({ clock }: CliContext): readonly Column<RecordedDecision>[] {
  return [
    { head: 'WHEN', text: ({ at }) => relativeTime(new Date(at).toISOString(), clock.now()) },
    {
      head: 'DECISION',
      text: ({ decision, by }) => (by === 'remembered' ? 'allowed before' : decision),
      colour: ({ decision }) => (decision === 'allowed' ? 'green' : 'yellow'),
    },
    { head: 'CAPABILITY', text: ({ capability }) => capability, elastic: true },
    { head: 'BY', text: ({ caller }) => caller, elastic: true },
    { head: 'REMEMBERED', text: ({ value = '' }) => value, elastic: true },
    { head: 'DISPATCH', text: ({ dispatchId }) => dispatchId },
  ];
}

function columns({ clock }: CliContext): readonly Column<RememberedAnswer>[] {
  const when = (at: number): string => relativeTime(new Date(at).toISOString(), clock.now());
  return [
    { head: 'ID', text: ({ id }) => id.slice(0, 12) },
    { head: 'CAPABILITY', text: ({ capability }) => capability, elastic: true },
    { head: 'ALLOWED', text: ({ value }) => value, elastic: true },
    { head: 'TO', text: ({ caller }) => caller, elastic: true },
    { head: 'GIVEN', text: ({ allowedAt }) => when(allowedAt) },
    { head: 'ENDS', text: ({ expiresAt }) => when(expiresAt) },
  ];
}
