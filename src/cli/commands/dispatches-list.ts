import { type Command, InvalidArgumentError } from 'commander';
import { dispatchStates } from '../../contract/dispatch-states.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { dispatchTable } from '../dispatch-table.js';
import {
  type DispatchFilterFlags,
  findDispatches,
  hasFilter,
  withDispatchFilter,
} from '../find-dispatches.js';
import { examples } from '../help-text.js';
import { note, print, printJson } from '../output.js';

interface ListFlags extends ConnectionFlags, DispatchFilterFlags {
  readonly limit: number;
  readonly after?: string;
}

const defaultLimit = 50;
const largestLimit = 10_000;

/** `palyra dispatches list` */
export function registerDispatchesListCommand(dispatches: Command, context: CliContext): void {
  const list = dispatches
    .command('list')
    .description('List what was run and what is under way, the latest first.');
  withDispatchFilter(list, dispatchStates)
    .option('--limit <number>', `at most so many, up to ${largestLimit}`, wholeNumber, defaultLimit)
    .option('--after <cursor>', 'go on where a list before ended, as its `next` says')
    .addHelpText(
      'after',
      examples(
        ['palyra dispatches list', 'the latest'],
        ['palyra dispatches list --state queued running --node build-7', 'what is under way on one machine'],
        ['palyra dispatches list --state failed --since 1d', 'what failed since yesterday'],
        ['palyra dispatches list --label team=infra --json', '{"dispatches": […], "next": …}'],
      ),
    );
  withConnection(list).action((flags: ListFlags) => listDispatches(flags, context));
}

async function listDispatches(flags: ListFlags, context: CliContext): Promise<void> {
  const { limit, after } = flags;
  const client = await connect(flags, context);
  const from = after === undefined ? {} : { from: after };
  const found = await findDispatches(client, flags, context, { limit, ...from });
  if (flags.json) {
    printJson(context, found);
    return;
  }
  if (found.dispatches.length === 0) {
    print(
      context,
      hasFilter(flags)
        ? 'No dispatch is like that.'
        : 'Nothing was run yet. Run something with: palyra invoke NODE CAPABILITY',
    );
    return;
  }
  print(context, dispatchTable(context, found.dispatches));
  if (found.next === undefined) return;
  note(context, '', `There are more. Ask for them with a larger --limit, or with: --after ${found.next}`);
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^[1-9]\d*$/.test(text) && number <= largestLimit) return number;
  throw new InvalidArgumentError(`It is a whole number from 1 to ${largestLimit}.`);
}
