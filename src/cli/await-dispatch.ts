import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { Dispatch } from '../contract/dispatch.js';
import { AppError } from '../kernel/errors.js';
import { cancelOnInterrupt, type InterruptedWork } from './cancel-on-interrupt.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';

/**
 * Waits for the end of a dispatch. The first Ctrl-C cancels it, and how it then ends is awaited, since that is the word of the
 * node; the second one leaves.
 *
 * @throws AppError `cli.interrupted` when the end was not awaited, `dispatch.wait_timeout`
 */
export function awaitDispatch(
  client: ControlPlaneClient,
  id: string,
  context: CliContext,
): Promise<Dispatch> {
  const work: InterruptedWork = {
    cancel: (reason) => client.cancelDispatch(id, reason),
    left: () =>
      cliError('interrupted', `Stopped waiting for dispatch ${id}`, {
        hint: `See what becomes of it: palyra dispatches show ${id}`,
        details: { dispatchId: id },
      }),
  };
  return cancelOnInterrupt(context, work, (signal) => client.awaitDispatch(id, { signal }));
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
