import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { Dispatch } from '../contract/dispatch.js';
import { AppError, toAppError } from '../kernel/errors.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';
import { note } from './output.js';
import { printable } from './printable.js';

/**
 * Waits for the end of a dispatch. The first Ctrl-C cancels it, and how it then ends is awaited, since that is the word of the
 * node; the second one leaves.
 *
 * @throws AppError `cli.interrupted` when the end was not awaited, `dispatch.wait_timeout`
 */
export async function awaitDispatch(
  client: ControlPlaneClient,
  id: string,
  context: CliContext,
): Promise<Dispatch> {
  const leave = new AbortController();
  let interrupts = 0;
  const stopListening = context.onInterrupt(() => {
    interrupts += 1;
    if (interrupts > 1) {
      leave.abort(
        cliError('interrupted', `Stopped waiting for dispatch ${id}`, {
          hint: `See what becomes of it: palyra dispatches show ${id}`,
          details: { dispatchId: id },
        }),
      );
      return;
    }
    note(context, 'Cancelling. Ctrl-C again leaves without waiting for the end.');
    client.cancelDispatch(id, 'Ctrl-C at the terminal').catch((error: unknown) => {
      note(context, `It could not be cancelled: ${printable(toAppError(error).message)}`);
    });
  });
  try {
    return await client.awaitDispatch(id, { signal: leave.signal });
  } finally {
    stopListening();
  }
}

/** Waits for the end of a dispatch until the signal says that it is enough; undefined when it has not ended by then. */
export async function awaitDispatchUntil(
  client: ControlPlaneClient,
  id: string,
  enough: AbortSignal,
): Promise<Dispatch | undefined> {
  while (!enough.aborted) {
    try {
      return await client.awaitDispatch(id, { signal: enough });
    } catch (error) {
      if (enough.aborted) return undefined;
      // The daemon answers at last to whoever waits for long, and the dispatch goes on.
      if (!(error instanceof AppError && error.code === 'dispatch.wait_timeout')) throw error;
    }
  }
  return undefined;
}
