import type { Command } from 'commander';
import type { ControlPlaneClient } from '../../client/control-plane-client.js';
import type { Dispatch } from '../../contract/dispatch.js';
import { liveDispatchStates, terminalDispatchStates } from '../../contract/dispatch-states.js';
import { parseDuration } from '../../kernel/duration.js';
import { toAppError } from '../../kernel/errors.js';
import { awaitDispatchUntil } from '../await-dispatch.js';
import { cliError } from '../cli-errors.js';
import { confirmed, requireSomebody } from '../confirmed.js';
import { type ConnectionFlags, connect, withConnection } from '../connection.js';
import type { CliContext } from '../context.js';
import { dispatchTable } from '../dispatch-table.js';
import { outcomeText } from '../dispatch-text.js';
import { exitCodeOfCategory, exitCodes } from '../exit-codes.js';
import {
  type DispatchFilterFlags,
  findDispatches,
  hasFilter,
  withDispatchFilter,
} from '../find-dispatches.js';
import { examples } from '../help-text.js';
import { colours, note, print, printJson } from '../output.js';
import { printable } from '../printable.js';

interface CancelFlags extends ConnectionFlags, DispatchFilterFlags {
  readonly reason?: string;
  readonly yes?: boolean;
  /** Milliseconds. */
  readonly wait?: number | true;
}

/** What became of one wish. */
type Wish = { readonly id: string } & (
  | { readonly dispatch: Dispatch }
  | { readonly error: ReturnType<ReturnType<typeof toAppError>['toEnvelope']> }
);

const defaultWaitMs = 60_000;
/** How many of those that are meant are shown before the question. */
const mostShown = 10;
const mostAtOnce = 10_000;
/** Requests that are under way at a time. */
const width = 8;

/** `palyra dispatches cancel` */
export function registerDispatchesCancelCommand(dispatches: Command, context: CliContext): void {
  const cancel = dispatches
    .command('cancel')
    .description(
      'End what has not ended. What its node never got ends at once; a node that may have it is told to stop it, and how it ends is the word of the node.',
    )
    .argument('[ids...]', 'the dispatches; or say with options which ones');
  withDispatchFilter(cancel, liveDispatchStates)
    .option('--reason <text>', 'why; recorded, and told to the node')
    .option('--wait [duration]', 'wait until they have ended, 1m if nothing else is said', (text) =>
      parseDuration(text, '--wait'),
    )
    .option('--yes', 'cancel without asking')
    .addHelpText(
      'after',
      examples(
        ['palyra dispatches cancel dp_01…', 'one'],
        ['palyra dispatches cancel dp_01… --wait', 'and see how it ends'],
        [
          'palyra dispatches cancel --node build-7 --state queued',
          'what waits for a machine, after a question',
        ],
        ['palyra dispatches cancel --label run=42 --yes --json', '{"dispatches": […], "failed": […]}'],
      ),
    );
  withConnection(cancel).action((ids: readonly string[], flags: CancelFlags) =>
    cancelDispatches(ids, flags, context),
  );
}

async function cancelDispatches(
  ids: readonly string[],
  flags: CancelFlags,
  context: CliContext,
): Promise<void> {
  if (ids.length > 0 === hasFilter(flags)) {
    throw cliError('usage', 'Say which dispatches: by their ids, or by options such as --node and --state', {
      hint: 'See what is under way: palyra dispatches list --state queued dispatched running',
    });
  }
  const client = await connect(flags, context);
  const wanted = ids.length > 0 ? [...new Set(ids)] : await chosen(client, flags, context);
  if (wanted === undefined) return;
  const wishes = await eachOf(wanted, (id) => cancelOne(client, id, flags));
  const told = flags.json ? undefined : new NodeNames(client);
  for (const wish of wishes) if (told) await tell(context, told, wish);
  const ended = flags.wait === undefined ? wishes : await awaitAll(client, wishes, flags, context);
  report(ended, flags, context);
}

/** What the options mean, once the person has seen it and said yes; undefined when there is nothing to do. */
async function chosen(
  client: ControlPlaneClient,
  flags: CancelFlags,
  context: CliContext,
): Promise<readonly string[] | undefined> {
  const filter = { ...flags, state: flags.state ?? liveDispatchStates };
  const { dispatches, next } = await findDispatches(client, filter, context, { limit: mostAtOnce });
  if (dispatches.length === 0) {
    if (flags.json) printJson(context, { dispatches: [], failed: [] });
    else print(context, 'Nothing like that is under way.');
    return undefined;
  }
  const count = dispatches.length === 1 ? '1 dispatch' : `${dispatches.length} dispatches`;
  const more = next === undefined ? '' : ', the latest of more';
  requireSomebody(context, `cancel ${count}`, flags);
  if (!flags.yes) {
    print(context, dispatchTable(context, dispatches.slice(0, mostShown)));
    const hidden = dispatches.length - mostShown;
    if (hidden > 0) print(context, `… and ${hidden} more`);
  }
  const yes = await confirmed(context, `Cancel ${count}${more}?`, flags);
  return yes ? dispatches.map(({ id }) => id) : undefined;
}

async function cancelOne(client: ControlPlaneClient, id: string, { reason }: CancelFlags): Promise<Wish> {
  try {
    return { id, dispatch: await client.cancelDispatch(id, reason) };
  } catch (error) {
    return { id, error: toAppError(error).toEnvelope() };
  }
}

/** The names of nodes and whether they are there, each asked for once. */
class NodeNames {
  readonly #client: ControlPlaneClient;
  readonly #known = new Map<string, Promise<{ readonly name: string; readonly online: boolean }>>();

  constructor(client: ControlPlaneClient) {
    this.#client = client;
  }

  of(deviceId: string): Promise<{ readonly name: string; readonly online: boolean }> {
    const known = this.#known.get(deviceId) ?? this.#ask(deviceId);
    this.#known.set(deviceId, known);
    return known;
  }

  async #ask(deviceId: string): Promise<{ readonly name: string; readonly online: boolean }> {
    const { name, presence } = await this.#client.getDevice(deviceId);
    return { name: printable(name), online: presence !== 'offline' };
  }
}

async function tell(context: CliContext, nodes: NodeNames, wish: Wish): Promise<void> {
  if ('error' in wish) {
    note(context, `${printable(wish.id)}: ${printable(wish.error.message)}`);
    return;
  }
  const { id, state, deviceId, outcome } = wish.dispatch;
  if (state === 'cancelled' && outcome?.started === false) {
    print(context, `${id} is cancelled: it was never started.`);
  } else if (hasEnded(wish.dispatch)) {
    print(context, `${id} has ended: ${state}.`);
  } else {
    const { name, online } = await nodes.of(deviceId);
    print(
      context,
      online
        ? `${name} was told to stop ${id}; how it ends is its word.`
        : `${name} is offline: it is told to stop ${id} when it is back, and how it ends is its word.`,
    );
  }
}

function hasEnded({ state }: Dispatch): boolean {
  return terminalDispatchStates.some((terminal) => terminal === state);
}

async function awaitAll(
  client: ControlPlaneClient,
  wishes: readonly Wish[],
  { wait, json }: CancelFlags,
  context: CliContext,
): Promise<readonly Wish[]> {
  const enough = new AbortController();
  const stop = (): void => enough.abort();
  const stopListening = context.onInterrupt(stop);
  const timer = context.clock.setTimeout(stop, typeof wait === 'number' ? wait : defaultWaitMs);
  try {
    return await eachOf(wishes, async (wish) => {
      if ('error' in wish || hasEnded(wish.dispatch)) return wish;
      const dispatch = await awaitDispatchUntil(client, wish.id, enough.signal);
      if (dispatch === undefined) return wish;
      if (!json) print(context, ...outcomeText(colours(context.stdout, context.env), dispatch));
      return { id: wish.id, dispatch };
    });
  } finally {
    context.clock.clearTimeout(timer);
    stopListening();
  }
}

function report(wishes: readonly Wish[], { json, wait }: CancelFlags, context: CliContext): void {
  const failed = wishes.flatMap((wish) => ('error' in wish ? [wish] : []));
  const taken = wishes.flatMap((wish) => ('dispatch' in wish ? [wish.dispatch] : []));
  const left = wait === undefined ? [] : taken.filter((dispatch) => !hasEnded(dispatch));
  if (json) printJson(context, { dispatches: taken, failed });
  if (left.length > 0) {
    context.exitCode = exitCodes.timedOut;
    if (!json) note(context, `${left.length} of them had not ended when the waiting did.`);
  }
  const [first] = failed;
  if (first) context.exitCode = exitCodeOfCategory(first.error.category);
}

/** Does something with each, a few at a time, and keeps their order. */
async function eachOf<From, To>(
  items: readonly From[],
  work: (item: From) => Promise<To>,
): Promise<readonly To[]> {
  const results: To[] = new Array(items.length);
  const entries = items.entries();
  const worker = async (): Promise<void> => {
    for (const [at, item] of entries) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
