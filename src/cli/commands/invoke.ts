import type { Command } from 'commander';
import type { ControlPlaneClient } from '../../client/control-plane-client.js';
import type { CreateDispatch, Dispatch } from '../../contract/dispatch.js';
import { parseDuration } from '../../kernel/duration.js';
import { cliError } from '../cli-errors.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { printDispatch } from '../dispatch-text.js';
import { exitCodeOfDispatch } from '../exit-codes.js';
import { exitCodeOfForecast, printForecast } from '../forecast-text.js';
import { examples } from '../help-text.js';
import { readInput } from '../input-json.js';
import { printJson } from '../output.js';
import { followInterruptibly, waitInterruptibly } from '../wait-interruptibly.js';

interface InvokeFlags extends ConnectionFlags {
  readonly input: string;
  readonly timeout?: number;
  readonly queue?: boolean;
  readonly wait: boolean;
  readonly key?: string;
  readonly dryRun?: boolean;
  readonly follow?: boolean;
}

const exitCodeHelp = `
Exit codes:
  0 succeeded, 1 failed, 2 wrong input, 3 not authorised, 4 node or palyrad not reachable,
  5 refused, 6 cancelled, expired or unknown, 7 no such node or capability, 8 timed out
  With --dry-run: 0 it would be accepted; else the code of the error that it would be`;

/** `palyra invoke NODE CAPABILITY` */
export function registerInvokeCommand(program: Command, context: CliContext): void {
  const command = program
    .command('invoke')
    .summary('run a capability on a machine')
    .description('Run a capability on a node and print what it returns. Ctrl-C cancels it.')
    .argument('<node>', 'the name of the node, its device id, or the beginning of it')
    .argument('<capability>', 'what to run, such as system.health')
    .option('--input <json>', 'the input as JSON, or - to read it from stdin', '{}')
    .option('--timeout <duration>', 'how long it may run (default: what the capability says)', (text) =>
      parseDuration(text, '--timeout'),
    )
    .option('--queue', 'if the node is offline, run it when the node is back')
    .option('--no-wait', 'do not wait for the end; print the id')
    .option('--follow', 'print each progress value as it comes, a line each; with --json each event')
    .option(
      '--key <key>',
      'an idempotency key: the same key and request run once, as long as the daemon keeps the dispatch',
    )
    .option('--dry-run', 'only say what would happen, and why; nothing is run, kept or queued')
    .addHelpText(
      'after',
      examples(
        ['palyra invoke build-7 system.health', 'the health of a machine'],
        [
          `palyra invoke build-7 echo --input '{"message": "hello"}' | jq .message`,
          'only what it returns goes to the pipe',
        ],
        ['palyra invoke MFZWI3D echo --input - --timeout 5s < input.json', 'input from a file'],
        ['palyra invoke build-7 convert --follow', 'what it says while it runs, then what it returns'],
        ['palyra invoke build-7 echo --dry-run', 'whether it would run now, wait or be refused'],
        ['palyra invoke build-7 echo --queue --no-wait --json', '{"id": "dp_…", "state": "queued", …}'],
      ),
    );
  command.addHelpText('after', exitCodeHelp);
  withConnection(command).action((node: string, capability: string, flags: InvokeFlags) =>
    invoke(node, capability, flags, context),
  );
}

async function invoke(
  node: string,
  capability: string,
  flags: InvokeFlags,
  context: CliContext,
): Promise<void> {
  const input = await readInput(flags.input, context);
  const client = await connect(flags, context);
  const request: CreateDispatch = {
    node,
    capability,
    input,
    wait: flags.wait,
    ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }),
    ...(flags.queue === undefined ? {} : { queue: flags.queue }),
    ...(flags.key === undefined ? {} : { idempotencyKey: flags.key }),
  };
  if (flags.dryRun) {
    const forecast = await client.foreseeDispatch(request);
    context.exitCode = exitCodeOfForecast(forecast);
    if (flags.json) printJson(context, forecast);
    else printForecast(context, forecast, context.clock.now());
    return;
  }
  if (flags.follow && !flags.wait) {
    throw cliError('usage', '--follow waits for the end, --no-wait does not', {
      hint: 'Leave one of them out.',
    });
  }
  const json = flags.json === true;
  const dispatch = await run(client, request, context, flags.follow ? { json } : undefined);
  context.exitCode = exitCodeOfDispatch(dispatch.state);
  if (!json) printDispatch(context, dispatch);
  else if (!flags.follow) printJson(context, dispatch);
}

async function run(
  client: ControlPlaneClient,
  request: CreateDispatch,
  context: CliContext,
  follow: { readonly json: boolean } | undefined,
): Promise<Dispatch> {
  if (follow) return followInterruptibly(client, request, context, follow.json);
  return request.wait ? waitInterruptibly(client, request, context) : client.createDispatch(request);
}
