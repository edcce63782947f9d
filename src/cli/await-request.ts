import type { ControlPlaneClient } from '../client/control-plane-client.js';
import type { Pairing } from '../contract/pairing.js';
import type { MintedPairingCode, PairingCode } from '../contract/pairing-code.js';
import { cliError } from './cli-errors.js';
import { type CliContext, pause } from './context.js';
import { LiveLine } from './live-line.js';
import { colours, note } from './output.js';
import { printable } from './printable.js';
import { durationText } from './time-text.js';

const pollMs = 1_000;

/**
 * Waits for the request of the machine that uses a code, counting down to its end, and tells of wrong proofs as they come.
 *
 * @throws AppError `cli.code_expired` when nobody used it in time, `cli.code_ended` when it was ended before
 */
export async function awaitRequest(
  client: ControlPlaneClient,
  context: CliContext,
  { id, method }: MintedPairingCode,
): Promise<Pairing> {
  const line = new LiveLine(context.stdout);
  const { yellow } = colours(context.stderr, context.env);
  let told = 0;
  try {
    for (;;) {
      const code = await client.getPairingCode(id);
      const request = code.pairingId === undefined ? undefined : await client.getPairing(code.pairingId);
      if (request !== undefined && request.state !== 'proving') return request;
      for (const { address } of code.wrongProofs.slice(told)) {
        line.clear();
        const what = method === 'pin' ? 'A wrong PIN' : 'A wrong proof';
        note(context, yellow(`${what} came from ${printable(address)}. Five end the code.`));
      }
      told = Math.max(told, code.wrongProofs.length);
      if (request === undefined) requireWaiting(code);
      const left = Math.max(0, Date.parse(code.expiresAt) - context.clock.now());
      const seconds = Math.ceil(left / 1_000) * 1_000;
      line.show(
        request === undefined
          ? `Waiting for the machine, ${durationText(seconds)} left. Ctrl-C stops waiting; the code goes on.`
          : 'A machine has proven the code and is sending its request.',
      );
      await pause(context, pollMs);
    }
  } finally {
    line.clear();
  }
}

function requireWaiting({ state, endReason = '' }: PairingCode): void {
  if (state === 'live' || state === 'bound') return;
  if (state === 'expired') {
    throw cliError('code_expired', 'No machine has used the code in time', {
      hint: 'Make a new one with: palyra pair',
    });
  }
  throw cliError('code_ended', `The code is ${state}${endReason === '' ? '' : `: ${endReason}`}`, {
    hint: 'See each code, and from where wrong proofs came: palyra pair list --all',
  });
}
