import type { ControlPlaneClient } from '../client/control-plane-client.js';
import { hasEnded } from '../client/fanout-calls.js';
import type { Fanout, FanoutMember } from '../contract/fanout.js';
import { cancelOnInterrupt, type InterruptedWork } from './cancel-on-interrupt.js';
import { cliError } from './cli-errors.js';
import type { CliContext } from './context.js';
import { note } from './output.js';

/**
 * Follows a fan-out to its end. The first Ctrl-C cancels it, and what becomes of each target is still told; the second one leaves.
 *
 * @param told gets each target as it ends, once
 * @returns the fan-out with all its targets
 * @throws AppError `cli.interrupted` when the end was not awaited
 */
export function followFanout(
  client: ControlPlaneClient,
  id: string,
  context: CliContext,
  told: (member: FanoutMember) => Promise<void>,
): Promise<Fanout> {
  const work: InterruptedWork = {
    cancel: (reason) => client.fanouts.cancel(id, reason),
    left: () =>
      cliError('interrupted', 'Stopped waiting for the fan-out; it ends by itself', {
        hint: `See what becomes of it: palyra fanouts show ${id}`,
        details: { fanoutId: id },
      }),
  };
  return cancelOnInterrupt(context, work, async (signal) => {
    const seen = new Set<string>();
    try {
      for await (const { members } of client.fanouts.follow(id, { signal })) {
        for (const member of members.filter(hasEnded)) {
          if (seen.has(member.deviceId)) continue;
          seen.add(member.deviceId);
          await told(member);
        }
      }
      return await client.fanouts.get(id);
    } catch (error) {
      if (!signal.aborted) note(context, `It goes on. See what becomes of it: palyra fanouts show ${id}`);
      throw error;
    }
  });
}
