import { type AppError, toAppError } from '../kernel/errors.js';
import type { CliContext } from './context.js';
import { note } from './output.js';
import { printable } from './printable.js';

/** What Ctrl-C does to work that is awaited. */
export interface InterruptedWork {
  /** At each one, before anything is said of it. */
  heard?(): void;
  /** The first one. */
  cancel(reason: string): Promise<unknown>;
  /** The second one: why the wait ended. */
  left(): AppError;
}

/** Awaits the end of work that Ctrl-C cancels. How it then ends is awaited too; a second Ctrl-C aborts the signal. */
export async function cancelOnInterrupt<T>(
  context: CliContext,
  work: InterruptedWork,
  wait: (leave: AbortSignal) => Promise<T>,
): Promise<T> {
  const leave = new AbortController();
  let interrupts = 0;
  const stopListening = context.onInterrupt(() => {
    interrupts += 1;
    work.heard?.();
    if (interrupts > 1) {
      leave.abort(work.left());
      return;
    }
    note(context, 'Cancelling. Ctrl-C again leaves without waiting for the end.');
    work.cancel('Ctrl-C at the terminal').catch((error: unknown) => {
      note(context, `It could not be cancelled: ${printable(toAppError(error).message)}`);
    });
  });
  try {
    return await wait(leave.signal);
  } finally {
    stopListening();
  }
}
