import type { Command } from 'commander';
import { awaitDispatch } from '../await-dispatch.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { printDispatch } from '../dispatch-text.js';
import { exitCodeOfDispatch } from '../exit-codes.js';
import { examples } from '../help-text.js';
import { note, printJson } from '../output.js';

interface RetryFlags extends ConnectionFlags {
  readonly mayHaveRun?: boolean;
  readonly queue?: boolean;
  readonly wait: boolean;
}

/** `palyra dispatches retry` */
export function registerDispatchesRetryCommand(dispatches: Command, context: CliContext): void {
  const retry = dispatches
    .command('retry')
    .description(
      'Ask again for what has ended: the same capability with the same input on the same node, as a new dispatch. Ctrl-C cancels it.',
    )
    .argument('<id>', 'the id of the dispatch that has ended')
    .option('--may-have-run', 'also when it may not run twice and nobody knows whether it ran')
    .option('--queue', 'if the node is offline, run it when the node is back')
    .option('--no-wait', 'do not wait for the end; print the id')
    .addHelpText(
      'after',
      examples(
        ['palyra dispatches retry dp_01…', 'run it again and print what it returns'],
        [
          'palyra dispatches retry dp_01… --may-have-run',
          'you have seen that it did not run, or that it does no harm',
        ],
        ['palyra dispatches retry dp_01… --queue --no-wait --json', '{"id": "dp_…", "retryOf": "dp_01…", …}'],
      ),
    );
  withConnection(retry).action((id: string, flags: RetryFlags) => retryDispatch(id, flags, context));
}

async function retryDispatch(id: string, flags: RetryFlags, context: CliContext): Promise<void> {
  const { mayHaveRun, queue, wait, json } = flags;
  const client = await connect(flags, context);
  const accepted = await client.retryDispatch(id, {
    ...(mayHaveRun === undefined ? {} : { mayHaveRun }),
    ...(queue === undefined ? {} : { queue }),
  });
  if (wait && !json) note(context, `Asked for again, as ${accepted.id}`);
  const dispatch = wait ? await awaitDispatch(client, accepted.id, context) : accepted;
  context.exitCode = exitCodeOfDispatch(dispatch.state);
  if (json) printJson(context, dispatch);
  else printDispatch(context, dispatch);
}
