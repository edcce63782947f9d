import { randomUUID } from 'node:crypto';
import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { CreateDispatch, Dispatch } from '../contract/dispatch.js';
import { liveDispatchStates } from '../contract/dispatch-states.js';
import { toAppError } from '../kernel/errors.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';
import { note } from './output.js';
import { printable } from './printable.js';

/** By this label the request is found again: its id comes only with its end. */
const label = 'palyra.invoke';

/**
 * Runs a dispatch to its end. The first Ctrl-C cancels it, and how it then ends is awaited, since that is the word of the
 * node; the second one leaves.
 *
 * @throws AppError `cli.interrupted` when the end was not awaited
 */
export async function waitInterruptibly(
  client: ControlPlaneClient,
  request: CreateDispatch,
  context: CliContext,
): Promise<Dispatch> {
  const mark = randomUUID();
  const leave = new AbortController();
  let known: string | undefined;
  let interrupts = 0;
  const stopListening = context.onInterrupt(() => {
    interrupts += 1;
    if (interrupts > 1) {
      leave.abort(interrupted(known));
      return;
    }
    note(context, 'Cancelling. Ctrl-C again leaves without waiting for the end.');
    cancel(client, mark, (id) => {
      known = id;
    }).catch((error: unknown) => {
      note(context, `It could not be cancelled: ${printable(toAppError(error).message)}`);
    });
  });
  const marked = { ...request, labels: { ...request.labels, [label]: mark } };
  try {
    return await client.createDispatch(marked, { signal: leave.signal });
  } finally {
    stopListening();
  }
}

async function cancel(
  client: ControlPlaneClient,
  mark: string,
  onFound: (id: string) => void,
): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await client.listDispatches({
      state: [...liveDispatchStates],
      limit: 500,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const found = page.dispatches.find(({ labels }) => labels[label] === mark);
    if (found !== undefined) {
      onFound(found.id);
      await client.cancelDispatch(found.id, 'Ctrl-C at the terminal');
      return;
    }
    cursor = page.next;
  } while (cursor !== undefined);
  throw cliError('not_found', 'palyrad does not list it as unfinished');
}

function interrupted(id: string | undefined) {
  const message = 'Stopped waiting for the dispatch; whether it was done is unknown';
  if (id === undefined) return cliError('interrupted', message);
  return cliError('interrupted', message, {
    hint: `See what becomes of it: palyra dispatches show ${id}`,
    details: { dispatchId: id },
  });
}
