import type { ControlPlaneClient } from '../client/control-plane-client.js';
import { hasEnded } from '../client/fanout-calls.js';
import type { Fanout, FanoutMember } from '../contract/fanout.js';
import { toAppError } from '../kernel/errors.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';
import { note } from './output.js';
import { printable } from './printable.js';

/**
 * Follows a fan-out to its end. The first Ctrl-C cancels it, and what becomes of each target is still told; the second one leaves.
 *
 * @param told gets each target as it ends, once
 * @returns the fan-out with all its targets
 * @throws AppError `cli.interrupted` when the end was not awaited
 */
export async function followFanout(
  client: ControlPlaneClient,
  id: string,
  context: CliContext,
  told: (member: FanoutMember) => Promise<void>,
): Promise<Fanout> {
  const leave = new AbortController();
  let interrupts = 0;
  const stopListening = context.onInterrupt(() => {
    interrupts += 1;
    if (interrupts > 1) {
      leave.abort(interrupted(id));
      return;
    }
    note(context, 'Cancelling. Ctrl-C again leaves without waiting for the end.');
    client.fanouts.cancel(id, 'Ctrl-C at the terminal').catch((error: unknown) => {
      note(context, `It could not be cancelled: ${printable(toAppError(error).message)}`);
    });
  });
  const seen = new Set<string>();
  try {
    for await (const { members } of client.fanouts.follow(id, { signal: leave.signal })) {
      for (const member of members.filter(hasEnded)) {
        if (seen.has(member.deviceId)) continue;
        seen.add(member.deviceId);
        await told(member);
      }
    }
    return await client.fanouts.get(id);
  } catch (error) {
    if (!leave.signal.aborted) note(context, `It goes on. See what becomes of it: palyra fanouts show ${id}`);
    throw error;
  } finally {
    stopListening();
  }
}

function interrupted(id: string) {
  return cliError('interrupted', 'Stopped waiting for the fan-out; it ends by itself', {
    hint: `See what becomes of it: palyra fanouts show ${id}`,
    details: { fanoutId: id },
  });
}
