import type { Command } from 'commander';
import type { ControlPlaneClient } from '../../client/control-plane-client.js';
import type { CreateFanout, FanoutMember, FanoutPlan } from '../../contract/fanout.js';
import { parseDuration } from '../../kernel/duration.js';
import { cliError } from '../cli-errors.js';
import { confirmed, requireSomebody } from '../confirmed.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { exitCodeOfFanout } from '../exit-codes.js';
import { memberText, planSum, planText, summaryText } from '../fanout-text.js';
import { followFanout } from '../follow-fanout.js';
import { examples } from '../help-text.js';
import { readInput } from '../input-json.js';
import { print, printEvent } from '../output.js';
import { printable } from '../printable.js';

interface RunFlags extends ConnectionFlags {
  readonly on?: string;
  readonly all?: boolean;
  readonly input: string;
  readonly timeout?: number;
  readonly limit?: string;
  readonly expect?: number;
  readonly batch?: number;
  readonly stopAfterFailures?: number;
  readonly queue?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly wait: boolean;
}

const selectorHelp = `
Selectors: role=edge (a label), platform:linux, arch:arm64, capability:system.*, name:web-*,
  a node by its name or id; joined by and, or, not and parentheses.

Exit codes:
  0 all succeeded, 1 some did not, 2 wrong input or selector, 3 not authorised, 4 palyrad not reachable,
  6 cancelled, stopped, or other nodes than expected, 7 no such node`;

/** `palyra run CAPABILITY --on SELECTOR` */
export function registerRunCommand(program: Command, context: CliContext): void {
  const command = program
    .command('run')
    .summary('run a capability on many machines')
    .description(
      'Run a capability on every node that a selector means. Shows which nodes those are and asks; then each result as it comes, and a summary. Ctrl-C cancels it.',
    )
    .argument('<capability>', 'what to run, such as system.health')
    .option('--on <selector>', "which nodes: 'role=edge and not platform:win32'")
    .option('--all', 'every node that is trusted')
    .option('--input <json>', 'the input as JSON, or - to read it from stdin', '{}')
    .option('--timeout <duration>', 'how long each may run (default: what the capability says)', (text) =>
      parseDuration(text, '--timeout'),
    )
    .option(
      '--limit <number|percent>',
      'only the first of them by name: 5, or 10% (rounded down, one at least)',
    )
    .option(
      '--expect <number>',
      'refuse unless there are exactly so many, after the limit',
      wholeOf('--expect'),
    )
    .option('--batch <number>', 'so many at a time; the next starts when one has ended', wholeOf('--batch'))
    .option(
      '--stop-after-failures <number>',
      'start no more after so many have failed',
      wholeOf('--stop-after-failures'),
    )
    .option('--queue', 'run it on those that are offline when they are back (default: skip them)')
    .option('--dry-run', 'only show what would happen')
    .option('--yes', 'do not ask')
    .option('--no-wait', 'do not wait for the end; print the id')
    .addHelpText(
      'after',
      examples(
        ['palyra run system.health --on role=edge', 'shows the nodes, asks, and runs'],
        [
          "palyra run deploy --on 'role=web' --batch 2 --stop-after-failures 1 --input - < release.json",
          'two at a time, until one fails',
        ],
        ["palyra run deploy --on 'role=web' --limit 10% --yes", 'a tenth of them first'],
        ['palyra run system.health --all --dry-run', 'which nodes, and what would become of each'],
        ['palyra run system.health --all --yes --json', 'a line of JSON for each result as it comes'],
      ),
    );
  command.addHelpText('after', selectorHelp);
  withConnection(command).action((capability: string, flags: RunFlags) => run(capability, flags, context));
}

async function run(capability: string, flags: RunFlags, context: CliContext): Promise<void> {
  if ((flags.on === undefined) === (flags.all !== true)) {
    throw cliError('usage', 'Say on which nodes: either --on SELECTOR or --all', {
      hint: "For example --on 'role=edge and platform:linux'.",
    });
  }
  const request = await requestOf(capability, flags, context);
  const client = await connect(flags, context);
  const { batch: _batch, stopAfterFailures: _stop, ...planned } = request;
  const plan = await client.fanouts.plan(planned);
  showPlan(plan, flags, context);
  if (flags.dryRun) return;
  // What is wrong with the request, and what it means, is said first.
  requireSomebody(context, `run ${printable(capability)} on those nodes`, flags);
  if (!(await confirmed(context, `Run ${printable(capability)} there?`, flags))) return;
  const { id } = await client.fanouts.create({ ...request, targetsDigest: plan.targetsDigest });
  if (!flags.wait) {
    const accepted = { event: 'accepted', id };
    if (flags.json) printEvent(context, accepted);
    else print(context, id);
    return;
  }
  const fanout = await followFanout(client, id, context, (member) => tell(client, member, flags, context));
  context.exitCode = exitCodeOfFanout(fanout.state);
  if (flags.json) printEvent(context, { event: 'summary', ...withoutMembers(fanout) });
  else print(context, '', ...summaryText(context, fanout));
}

async function requestOf(capability: string, flags: RunFlags, context: CliContext): Promise<CreateFanout> {
  const { on, all, timeout, limit, expect, batch, stopAfterFailures, queue } = flags;
  return {
    capability,
    input: await readInput(flags.input, context),
    ...(on === undefined ? {} : { selector: on }),
    ...(all === undefined ? {} : { all }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(limit === undefined ? {} : { limit }),
    ...(expect === undefined ? {} : { expect }),
    ...(batch === undefined ? {} : { batch }),
    ...(stopAfterFailures === undefined ? {} : { stopAfterFailures }),
    ...(queue === undefined ? {} : { queue }),
  };
}

function showPlan(plan: FanoutPlan, { json }: RunFlags, context: CliContext): void {
  if (json) printEvent(context, { event: 'targets', ...plan });
  else print(context, planText(context, plan), '', planSum(plan));
}

/** Tells how a target ended; what its capability returned is in its dispatch. */
async function tell(
  client: ControlPlaneClient,
  member: FanoutMember,
  { json }: RunFlags,
  context: CliContext,
): Promise<void> {
  const { state, dispatchId } = member;
  const dispatch =
    state === 'succeeded' && dispatchId !== undefined ? await client.getDispatch(dispatchId) : undefined;
  const output = dispatch?.outcome?.output;
  if (json) printEvent(context, { event: 'result', ...member, ...(output === undefined ? {} : { output }) });
  else print(context, memberText(context, member, output));
}

function withoutMembers<T extends { readonly members: unknown }>({ members: _members, ...rest }: T) {
  return rest;
}

/** Reads a whole number from 1 up. */
function wholeOf(option: string): (text: string) => number {
  return (text) => {
    if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
    throw cliError('usage', `${option}: '${text}' is not a whole number from 1 up`, {
      fields: [{ field: option, message: 'is not a whole number from 1 up' }],
    });
  };
}
