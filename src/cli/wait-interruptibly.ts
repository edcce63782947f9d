import { randomUUID } from 'node:crypto';
import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { CreateDispatch, Dispatch } from '../contract/dispatch.js';
import { liveDispatchStates } from '../contract/dispatch-states.js';
import { cancelOnInterrupt, type InterruptedWork } from './cancel-on-interrupt.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';
import { followToEnd } from './follow-to-end.js';
import { LiveLine } from './live-line.js';
import { showProgress } from './live-progress.js';

/** By this label the request is found again: its id comes only with its end. */
const label = 'palyra.invoke';

/**
 * Runs a dispatch to its end, and shows on a terminal how it stands. The first Ctrl-C cancels it, and how it then ends is awaited,
 * since that is the word of the node; the second one leaves.
 *
 * @throws AppError `cli.interrupted` when the end was not awaited
 */
export async function waitInterruptibly(
  client: ControlPlaneClient,
  request: CreateDispatch,
  context: CliContext,
): Promise<Dispatch> {
  const mark = randomUUID();
  const marked = { ...request, labels: { ...request.labels, [label]: mark } };
  const line = new LiveLine(context.stderr);
  const done = new AbortController();
  const find = (signal?: AbortSignal) => findMarked(client, mark, signal);
  const shown = showProgress({ client, context, line, node: request.node, find, signal: done.signal });
  try {
    const options = { client, context, line, find };
    return await interruptibly(options, (signal) => client.createDispatch(marked, { signal }));
  } finally {
    done.abort();
    await shown;
  }
}

/**
 * Runs a dispatch to its end, and prints what it says as it comes; Ctrl-C as with {@link waitInterruptibly}.
 *
 * @throws AppError `cli.interrupted` when the end was not awaited
 */
export async function followInterruptibly(
  client: ControlPlaneClient,
  request: CreateDispatch,
  context: CliContext,
  json: boolean,
): Promise<Dispatch> {
  const { id } = await client.createDispatch({ ...request, wait: false });
  const options = { client, context, line: new LiveLine(context.stderr), find: async () => id };
  return interruptibly(options, (signal) =>
    followToEnd(client, id, context, { json, node: request.node, signal }),
  );
}

interface Interruptible {
  readonly client: ControlPlaneClient;
  readonly context: CliContext;
  readonly line: LiveLine;
  /** The id of the dispatch that is awaited. */
  find(): Promise<string | undefined>;
}

function interruptibly(
  { client, context, line, find }: Interruptible,
  wait: (signal: AbortSignal) => Promise<Dispatch>,
): Promise<Dispatch> {
  let known: string | undefined;
  const work: InterruptedWork = {
    heard: () => line.clear(),
    cancel: async (reason) => {
      known = await find();
      if (known === undefined) throw cliError('not_found', 'palyrad does not list it as unfinished');
      await client.cancelDispatch(known, reason);
    },
    left: () => interrupted(known),
  };
  return cancelOnInterrupt(context, work, wait);
}

async function findMarked(
  client: ControlPlaneClient,
  mark: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  let cursor: string | undefined;
  do {
    const query = {
      state: [...liveDispatchStates],
      label: [`${label}=${mark}`],
      limit: 500,
      ...(cursor === undefined ? {} : { cursor }),
    };
    const page = await client.listDispatches(query, signal === undefined ? {} : { signal });
    const found = page.dispatches.find(({ labels }) => labels[label] === mark);
    if (found !== undefined) return found.id;
    cursor = page.next;
  } while (cursor !== undefined);
  return undefined;
}

function interrupted(id: string | undefined) {
  const message = 'Stopped waiting for the dispatch; whether it was done is unknown';
  if (id === undefined) return cliError('interrupted', message);
  return cliError('interrupted', message, {
    hint: `See what becomes of it: palyra dispatches show ${id}`,
    details: { dispatchId: id },
  });
}
